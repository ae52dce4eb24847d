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
            addPlaced(p, p.x, p.y);
        }
        if (!m_recipe.layout.kind.isEmpty()) {
            start(StreamLayout);
            drawLayout();
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
        if (m_recipe.stars.counts) {
            return m_recipe.stars.counts->drawMagnitude(m_random, m_recipe.stars.magnitudes.first,
                                                        m_recipe.stars.magnitudes.second);
        }
        // Star counts at high latitude rise by about 0.12 dex a magnitude.
        const double slope = std::max(m_recipe.stars.slope, 1e-3);
        const auto [bright, faint] = m_recipe.stars.magnitudes;
        const double low = std::pow(10.0, slope * (bright - faint));
        return faint + std::log10(low + (1.0 - low) * m_random.uniform()) / slope;
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
            if (m_recipe.catalogue) {
                Galaxy g = sample(crowd.magnitudes.first, crowd.magnitudes.second);
                g.x = x;
                g.y = y;
                if (crowd.snr) {
                    const double target = targetOf(*crowd.snr);
                    g.brighten(target / snrOf(g));
                }
                add(std::move(g), x, y);
            } else if (crowd.snr) {
                addWithSnr(wish, x, y, targetOf(*crowd.snr));
            } else {
                add(m_population.galaxy(m_random, wish), x, y);
            }
        }
    }

    double targetOf(std::pair<double, double> range) {
        return range.first * std::pow(range.second / range.first, m_random.uniform());
    }

    [[nodiscard]] double snrOf(const Galaxy& g) const {
        const Renderer::Drawing drawing = m_renderer.draw(g);
        std::vector<double> squares, sigma;
        for (size_t b = 0; b < drawing.bands.size(); ++b) {
            squares.push_back(drawing.bands[b].dot(drawing.bands[b]));
            sigma.push_back(m_renderer.sigma(b));
        }
        return std::max(detectionSnr(m_recipe.survey, squares, sigma), 1e-12);
    }

    /// A galaxy as it is met at the magnitude that gives it the S/N.
    void addWithSnr(Population::Wish wish, double x, double y, double target) {
        const Random before = m_random;
        for (int round = 0;; ++round) {
            m_random = before;
            Galaxy g = m_population.galaxy(m_random, wish);
            g.x = x;
            g.y = y;
            const double factor = target / snrOf(g);
            wish.magnitude = std::clamp(wish.magnitude - 2.5 * std::log10(factor), 5.0, 40.0);
            // Sizes change with magnitude: a second look, then the rest is brightness alone.
            if (round < 2) continue;
            g.brighten(factor);
            add(std::move(g), x, y);
            return;
        }
    }

    void addPlaced(const Recipe::Placed& p, double x, double y) {
        if (p.star) {
            Galaxy g = m_population.star(m_random, p.wish.magnitude, p.colour);
            g.x = x;
            g.y = y;
            if (p.snr) g.brighten(*p.snr / snrOf(g));
            add(std::move(g), x, y);
        } else if (p.snr) {
            addWithSnr(p.wish, x, y, *p.snr);
        } else {
            add(m_population.galaxy(m_random, p.wish), x, y);
        }
    }

    /// A galaxy between two magnitudes (and half-light radii in arcsec), of the catalogue or as they are met.
    Galaxy sample(double bright, double faint, double leastSize = 0.0, double mostSize = 1e9) {
        if (m_recipe.catalogue) {
            const int row = m_recipe.catalogue->draw(m_random, bright, faint, leastSize, mostSize);
            return m_recipe.catalogue->galaxy(row, m_recipe.survey, m_random);
        }
        // Counts rise towards faint magnitudes; nothing is met that is much brighter than this.
        Population::Wish wish;
        wish.magnitude = Population::drawMagnitude(m_random, std::max(bright, std::min(18.0, faint - 1.0)), faint);
        const Recipe::Crowd& crowd = m_recipe.galaxies;
        wish.sizeFactor = crowd.sizeFactor;
        if (crowd.irregularShare > 0.0 && m_random.uniform() < crowd.irregularShare) {
            wish.irregular = crowd.irregular;
            wish.forced = crowd.irregularShare >= 1.0;
        }
        Galaxy g;
        for (int attempt = 0; attempt < 100; ++attempt) {
            g = m_population.galaxy(m_random, wish);
            double size = 0.0;
            for (const SersicComponent& c : g.components) {
                size = std::hypot(size, c.aArcsec);
            }
            if (!g.maps.empty()) size = std::hypot(size, g.mapDisk.aArcsec);
            if (size >= leastSize && size <= mostSize) break;
        }
        return g;
    }

    void addShifted(Galaxy g, double shiftArcsec) {
        const double shift = shiftArcsec / m_recipe.survey.pixelScale;
        const double dx = m_random.uniform(-shift, shift), dy = m_random.uniform(-shift, shift);
        add(std::move(g), std::clamp(middleX() + dx, -0.5, m_recipe.width - 0.5),
            std::clamp(middleY() + dy, -0.5, m_recipe.height - 0.5));
    }

    [[nodiscard]] double middleX() const { return 0.5 * (m_recipe.width - 1); }
    [[nodiscard]] double middleY() const { return 0.5 * (m_recipe.height - 1); }

    /// One blend in the middle, as the recipe's layout says.
    void drawLayout() {
        const Recipe::Layout& l = m_recipe.layout;
        const double scale = m_recipe.survey.pixelScale;
        const int index = static_cast<int>(m_index);
        if (l.kind == QLatin1String("default")) {
            const int count = m_random.integer(l.number.first, l.number.second);
            for (int i = 0; i < count; ++i) {
                addShifted(sample(l.magnitudes.first, l.magnitudes.second), l.shiftArcsec);
            }
        } else if (l.kind == QLatin1String("density")) {
            const double side = 2.0 * l.shiftArcsec / 60.0;
            const int count = std::min(static_cast<int>(m_random.poisson(l.density * side * side)), l.most);
            for (int i = 0; i < count; ++i) {
                addShifted(sample(l.magnitudes.first, l.magnitudes.second), l.shiftArcsec);
            }
        } else if (l.kind == QLatin1String("basic")) {
            const int others = m_random.integer(std::max(0, l.number.first - 1), std::max(0, l.number.second - 1));
            const double faint = m_random.uniform() < 0.9 ? 25.3 : 28.0;
            const double stamp = std::min(m_recipe.width, m_recipe.height) * scale;
            const double shift = stamp / 30.0 * std::sqrt(static_cast<double>(others));
            addShifted(sample(5.0, 24.0, 0.2, 2.0), shift);
            for (int i = 0; i < others; ++i) {
                addShifted(sample(5.0, faint, 0.2, 2.0), shift);
            }
        } else if (l.kind == QLatin1String("pair")) {
            Galaxy first = sample(l.magnitudes.first, l.magnitudes.second);
            const double own = magnitudeOf(first);
            add(std::move(first), middleX() + m_random.uniform(-0.5, 0.5), middleY() + m_random.uniform(-0.5, 0.5));
            if (!l.separation && !l.difference) {
                addShifted(sample(l.magnitudes.second, 28.0), l.shiftArcsec);
                return;
            }
            const auto difference = l.difference.value_or(std::pair(0.0, 2.0));
            const auto separation = l.separation.value_or(std::pair(0.5, 2.5));
            addCompanion(own + m_random.uniform(difference.first, difference.second),
                         m_random.uniform(separation.first, separation.second));
        } else if (l.kind == QLatin1String("grid")) {
            Galaxy first = at(l.magnitude);
            const double own = magnitudeOf(first);
            add(std::move(first), middleX() + m_random.uniform(-0.5, 0.5), middleY() + m_random.uniform(-0.5, 0.5));
            addCompanion(own + l.differenceOf(index), l.separationOf(index));
            for (size_t i = m_out.size() - 2; i < m_out.size(); ++i) {
                m_out[i].notes[QStringLiteral("grid_separation")] = l.separationOf(index);
                m_out[i].notes[QStringLiteral("grid_difference")] = l.differenceOf(index);
                m_out[i].notes[QStringLiteral("grid_seeing")] = l.seeingOf(index);
            }
        } else if (l.kind == QLatin1String("cases")) {
            const Recipe::Layout::Case& one = l.cases[static_cast<size_t>(l.cell(index))];
            const SurveyBand& band = m_recipe.survey.bands[referenceBand(m_recipe.survey)];
            const double unit = (l.inFwhm ? band.fwhmArcsec * m_recipe.seeingFactor : 1.0) / scale;
            for (const Recipe::Placed& p : one.objects) {
                addPlaced(p, middleX() + unit * p.x, middleY() + unit * p.y);
            }
        } else {
            const std::vector<int> rows = rowsOfSky(l);
            for (const int r : rows) {
                const Catalogue::Row& row = m_recipe.catalogue->row(r);
                Galaxy g = m_recipe.catalogue->galaxy(r, m_recipe.survey, m_random);
                const double x = middleX() + (row.x - m_skyX) / scale, y = middleY() + (row.y - m_skyY) / scale;
                if (inside(x, y, 0.0)) add(std::move(g), x, y);
            }
        }
    }

    /// Rows of the catalogue around a place (m_skyX, m_skyY) that is drawn here.
    std::vector<int> rowsOfSky(const Recipe::Layout& l) {
        const Catalogue& catalogue = *m_recipe.catalogue;
        std::vector<int> rows;
        if (l.kind == QLatin1String("group")) {
            const auto& groups = m_recipe.catalogueGroups;
            rows = groups[static_cast<size_t>(m_random.integer(0, static_cast<int>(groups.size()) - 1))];
            m_skyX = m_skyY = 0.0;
            for (const int r : rows) {
                m_skyX += catalogue.row(r).x / static_cast<double>(rows.size());
                m_skyY += catalogue.row(r).y / static_cast<double>(rows.size());
            }
            return rows;
        }
        double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
        for (int i = 0; i < catalogue.size(); ++i) {
            const Catalogue::Row& r = catalogue.row(i);
            low[0] = std::min(low[0], r.x);
            low[1] = std::min(low[1], r.y);
            high[0] = std::max(high[0], r.x);
            high[1] = std::max(high[1], r.y);
        }
        const double halfX = 0.5 * m_recipe.width * m_recipe.survey.pixelScale,
                     halfY = 0.5 * m_recipe.height * m_recipe.survey.pixelScale;
        const double u = m_random.uniform(), v = m_random.uniform();
        m_skyX = low[0] + std::min(halfX, 0.5 * (high[0] - low[0])) + u * std::max(0.0, high[0] - low[0] - 2.0 * halfX);
        m_skyY = low[1] + std::min(halfY, 0.5 * (high[1] - low[1])) + v * std::max(0.0, high[1] - low[1] - 2.0 * halfY);
        const auto [first, last] = catalogue.between(l.magnitudes.first, l.magnitudes.second);
        for (int i = first; i < last; ++i) {
            const Catalogue::Row& r = catalogue.row(i);
            if (std::abs(r.x - m_skyX) <= halfX && std::abs(r.y - m_skyY) <= halfY) rows.push_back(i);
        }
        return rows;
    }

    [[nodiscard]] double magnitudeOf(const Galaxy& g) const { return g.magnitude[referenceBand(m_recipe.survey)]; }

    /// A galaxy as it is met at a magnitude, with exactly that one.
    Galaxy at(double magnitude) {
        Galaxy g = sample(magnitude - 0.1, magnitude + 0.1);
        g.brighten(std::pow(10.0, 0.4 * (magnitudeOf(g) - magnitude)));
        return g;
    }

    void addCompanion(double magnitude, double separationArcsec) {
        const double r = separationArcsec / m_recipe.survey.pixelScale;
        const double angle = 2.0 * std::numbers::pi * m_random.uniform();
        Galaxy g = at(magnitude);
        const double x = m_out.back().x + r * std::cos(angle), y = m_out.back().y + r * std::sin(angle);
        add(std::move(g), x, y);
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
    double m_skyX = 0.0, m_skyY = 0.0;
    std::vector<Galaxy> m_out;
};

} // namespace

std::vector<Galaxy> drawObjects(const Recipe& recipe, const Renderer& renderer, std::uint64_t seed, int index) {
    return ObjectDrawer(recipe, renderer, seed, index).draw();
}

} // namespace blendscope
