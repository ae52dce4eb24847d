#include "simulate/Layout.h"

#include "core/Random.h"
#include "simulate/Streams.h"
#include "simulate/TruthTable.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

long long countOf(const Recipe::Crowd& crowd, double areaArcmin2, Random& random) {
    if (crowd.count) {
        return random.integer(static_cast<int>(std::lround(crowd.count->first)),
                              static_cast<int>(std::lround(crowd.count->second)));
    }
    return random.poisson(crowd.density * areaArcmin2);
}

class ObjectDrawer {
public:
    ObjectDrawer(const Recipe& recipe, const Renderer& renderer, std::uint64_t seed, int index)
        : m_recipe(recipe), m_renderer(renderer), m_population(recipe.survey), m_seed(seed),
          m_index(static_cast<std::uint64_t>(index)), m_random(seed) {}

    std::vector<Galaxy> draw() {
        const double arcmin = m_recipe.survey.pixelScale / 60.0;
        const double area = m_recipe.width * arcmin * m_recipe.height * arcmin;
        // A stream for each part: changing one leaves the others as they were.
        start(StreamPlaced);
        for (const Recipe::Placed& p : m_recipe.objects) {
            Galaxy g = p.star ? m_population.star(m_random, p.wish.magnitude, p.colour)
                              : m_population.galaxy(m_random, p.wish);
            add(std::move(g), p.x, p.y);
        }
        start(StreamGroups);
        for (const Recipe::Group& group : m_recipe.groups) {
            drawGroup(group);
        }
        start(StreamGalaxies);
        drawField(area);
        start(StreamStars);
        const long long stars = countOf(m_recipe.stars, area, m_random);
        for (long long i = 0; i < stars; ++i) {
            const auto [x, y] = place(m_recipe.stars);
            const double magnitude = starMagnitude();
            add(m_population.star(m_random, magnitude), x, y);
        }
        return std::move(m_out);
    }

private:
    void start(RandomStream stream) { m_random = Random(m_seed, m_index, 0, stream); }

    [[nodiscard]] bool inside(double x, double y, double margin) const {
        return x >= margin - 0.5 && y >= margin - 0.5 && x < m_recipe.width - 0.5 - margin &&
               y < m_recipe.height - 0.5 - margin;
    }

    void add(Galaxy galaxy, double x, double y) {
        galaxy.x = x;
        galaxy.y = y;
        m_out.push_back(std::move(galaxy));
    }

    std::pair<double, double> place(const Recipe::Crowd& crowd) {
        if (crowd.radiusArcsec > 0.0) {
            const double r = crowd.radiusArcsec / m_recipe.survey.pixelScale * std::sqrt(m_random.uniform());
            const double angle = 2.0 * std::numbers::pi * m_random.uniform();
            return {std::clamp(0.5 * (m_recipe.width - 1) + r * std::cos(angle), 0.0, m_recipe.width - 1.0),
                    std::clamp(0.5 * (m_recipe.height - 1) + r * std::sin(angle), 0.0, m_recipe.height - 1.0)};
        }
        const double mx = std::min(crowd.margin, 0.45 * m_recipe.width);
        const double my = std::min(crowd.margin, 0.45 * m_recipe.height);
        const double x = m_random.uniform(mx - 0.5, m_recipe.width - 0.5 - mx);
        return {x, m_random.uniform(my - 0.5, m_recipe.height - 0.5 - my)};
    }

    double starMagnitude() {
        // Star counts at high latitude rise by about 0.12 dex a magnitude.
        constexpr double kSlope = 0.12;
        const auto [bright, faint] = m_recipe.stars.magnitudes;
        const double low = std::pow(10.0, kSlope * (bright - faint));
        return faint + std::log10(low + (1.0 - low) * m_random.uniform()) / kSlope;
    }

    void drawField(double area) {
        const Recipe::Crowd& crowd = m_recipe.galaxies;
        const long long count = countOf(crowd, area, m_random);
        const size_t first = m_out.size();
        for (long long i = 0; i < count; ++i) {
            Population::Wish wish;
            wish.magnitude = Population::drawMagnitude(m_random, crowd.magnitudes.first, crowd.magnitudes.second);
            auto [x, y] = place(crowd);
            const bool companion = m_random.uniform() < crowd.clustered;
            if (companion && m_out.size() > first) {
                // The angular correlation falls as theta^-0.8, so that pairs are spread as theta^0.2 in distance.
                const Galaxy& host =
                    m_out[first + static_cast<size_t>(m_random.integer(0, static_cast<int>(m_out.size() - first) - 1))];
                const double r =
                    crowd.reachArcsec / m_recipe.survey.pixelScale * std::pow(m_random.uniform(), 1.0 / 1.2);
                const double angle = 2.0 * std::numbers::pi * m_random.uniform();
                const double cx = host.x + r * std::cos(angle), cy = host.y + r * std::sin(angle);
                if (inside(cx, cy, 0.0)) {
                    x = cx;
                    y = cy;
                    wish.redshift = host.redshift;
                }
            }
            wish.sizeFactor = crowd.sizeFactor;
            if (crowd.irregularShare > 0.0 && m_random.uniform() < crowd.irregularShare) {
                wish.irregular = crowd.irregular;
                wish.forced = crowd.irregularShare >= 1.0;
            }
            if (crowd.snr) {
                addWithSnr(wish, x, y, *crowd.snr);
            } else {
                add(m_population.galaxy(m_random, wish), x, y);
            }
        }
    }

    /// A galaxy as it is met at the magnitude that gives it the S/N.
    void addWithSnr(Population::Wish wish, double x, double y, std::pair<double, double> range) {
        const double target = range.first * std::pow(range.second / range.first, m_random.uniform());
        const Random before = m_random;
        for (int round = 0;; ++round) {
            m_random = before;
            Galaxy g = m_population.galaxy(m_random, wish);
            g.x = x;
            g.y = y;
            const Renderer::Drawing drawing = m_renderer.draw(g);
            std::vector<double> squares, sigma;
            for (size_t b = 0; b < drawing.bands.size(); ++b) {
                squares.push_back(drawing.bands[b].dot(drawing.bands[b]));
                sigma.push_back(m_renderer.sigma(b));
            }
            const double factor = target / std::max(detectionSnr(m_recipe.survey, squares, sigma), 1e-12);
            wish.magnitude = std::clamp(wish.magnitude - 2.5 * std::log10(factor), 5.0, 40.0);
            // Sizes change with magnitude: a second look, then the rest is brightness alone.
            if (round < 2) continue;
            g.brighten(factor);
            add(std::move(g), x, y);
            return;
        }
    }

    void drawGroup(const Recipe::Group& group) {
        if (group.central) {
            Population::Wish wish;
            wish.magnitude = *group.central;
            wish.redshift = group.redshift;
            wish.type = 1.0;
            wish.hlrArcsec = group.centralHlrArcsec;
            wish.bulge = 0.7;
            wish.axisRatio = 0.72;
            add(m_population.galaxy(m_random, wish), group.x, group.y);
        }
        const double radius = group.radiusArcsec / m_recipe.survey.pixelScale;
        for (int i = 0; i < group.members; ++i) {
            // Projected density (1 + (r / core)^2)^-1 within the radius, core a quarter of it.
            const double core = 0.25 * radius;
            const double top = std::log1p(radius * radius / (core * core));
            const double r = core * std::sqrt(std::expm1(top * m_random.uniform()));
            const double angle = 2.0 * std::numbers::pi * m_random.uniform();
            Population::Wish wish;
            wish.magnitude = Population::drawMagnitude(m_random, group.magnitudes.first, group.magnitudes.second);
            wish.redshift = group.redshift;
            // Passive ones crowd the middle (Dressler 1980, ApJ 236, 351).
            const bool passive = m_random.uniform() < 0.9 - 0.35 * r / radius;
            if (passive) wish.type = std::clamp(m_random.normal(0.97, 0.025), 0.88, 1.0);
            const double x = group.x + r * std::cos(angle), y = group.y + r * std::sin(angle);
            Galaxy g = m_population.galaxy(m_random, wish);
            if (inside(x, y, 0.0)) add(std::move(g), x, y);
        }
    }

    const Recipe& m_recipe;
    const Renderer& m_renderer;
    Population m_population;
    std::uint64_t m_seed, m_index;
    Random m_random;
    std::vector<Galaxy> m_out;
};

} // namespace

std::vector<Galaxy> drawObjects(const Recipe& recipe, const Renderer& renderer, std::uint64_t seed, int index) {
    return ObjectDrawer(recipe, renderer, seed, index).draw();
}

} // namespace blendscope
