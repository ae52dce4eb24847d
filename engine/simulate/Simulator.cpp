#include "simulate/Simulator.h"

#include "core/Error.h"
#include "core/Random.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "method/Registry.h"
#include "simulate/CutoutPlane.h"
#include "simulate/Recipe.h"
#include "simulate/RecipeReader.h"
#include "simulate/Renderer.h"

#include <QDir>
#include <QFileInfo>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

/// What a random stream is for: no two of them share numbers.
enum Stream : std::uint64_t {
    StreamSeeing = 1,
    StreamNoise = 2,
    StreamPlaced = 3,
    StreamGroups = 4,
    StreamGalaxies = 5,
    StreamStars = 6
};

long long countOf(const Recipe::Crowd& crowd, double areaArcmin2, Random& random) {
    if (crowd.count) {
        return random.integer(static_cast<int>(std::lround(crowd.count->first)),
                              static_cast<int>(std::lround(crowd.count->second)));
    }
    return random.poisson(crowd.density * areaArcmin2);
}

/// Matched-filter S/N of an object alone, in g, r and i together (in all bands where there is none of them).
double detectionSnr(const Survey& survey, const std::vector<double>& squares, const std::vector<double>& sigma) {
    double chosen = 0.0, all = 0.0;
    for (size_t b = 0; b < squares.size(); ++b) {
        const double snr2 = squares[b] / (sigma[b] * sigma[b]);
        all += snr2;
        if (QStringLiteral("gri").contains(survey.bands[b].name.toLower())) chosen += snr2;
    }
    return std::sqrt(chosen > 0.0 ? chosen : all);
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
    void start(Stream stream) { m_random = Random(m_seed, m_index, 0, stream); }

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

/// Flux-averaged shape as truth tables give it.
void putShape(const Galaxy& g, size_t band, QMap<QString, double>& columns) {
    double sum = 0.0, hlr = 0.0, ellip = 0.0, bulge = 0.0;
    std::vector<SersicComponent> components = g.components;
    if (!g.maps.empty()) components.insert(components.begin(), g.mapDisk);
    for (const SersicComponent& c : components) {
        const double f = c.flux[band];
        sum += f;
        hlr += f * std::sqrt(c.aArcsec * c.bArcsec);
        ellip += f * (c.aArcsec - c.bArcsec) / (c.aArcsec + c.bArcsec);
        const bool isBulge = c.n > 2.0;
        if (isBulge) bulge += f;
        const QString part = isBulge ? QStringLiteral("b") : QStringLiteral("d");
        columns[QStringLiteral("a_") + part] = c.aArcsec;
        columns[QStringLiteral("b_") + part] = c.bArcsec;
        columns[isBulge ? QStringLiteral("pa_bulge") : QStringLiteral("pa_disk")] = c.angle;
    }
    for (const char* key : {"a_d", "b_d", "a_b", "b_b", "pa_disk", "pa_bulge"}) {
        if (!columns.contains(QLatin1String(key))) columns[QLatin1String(key)] = 0.0;
    }
    columns[QStringLiteral("hlr")] = sum > 0.0 ? hlr / sum : 0.0;
    columns[QStringLiteral("ellip")] = sum > 0.0 ? ellip / sum : 0.0;
    columns[QStringLiteral("btfrac")] = sum > 0.0 ? bulge / sum : 0.0;
    if (std::isfinite(g.hlrArcsec) && sum > 0.0) {
        // What the maps hold is no exponential any more.
        const double own = g.mapDisk.flux[band];
        columns[QStringLiteral("hlr")] =
            (hlr + own * (g.hlrArcsec - std::sqrt(g.mapDisk.aArcsec * g.mapDisk.bArcsec))) / sum;
    }
    columns[QStringLiteral("irregular")] = g.maps.empty() ? 0.0 : 1.0;
    columns[QStringLiteral("pa")] = components.empty() ? 0.0 : components.front().angle;
    columns[QStringLiteral("fluxnorm_bulge")] = sum > 0.0 ? bulge / sum : 0.0;
    columns[QStringLiteral("fluxnorm_disk")] = sum > 0.0 ? 1.0 - bulge / sum : 0.0;
    columns[QStringLiteral("fluxnorm_agn")] = g.star ? 1.0 : 0.0;
}

double bulgeShare(const Galaxy& g, size_t band) {
    double bulge = 0.0;
    for (const SersicComponent& c : g.components) {
        if (c.n > 2.0) bulge += c.flux[band];
    }
    const double total = g.totalFlux(band);
    return total > 0.0 ? bulge / total : 0.0;
}

double nearestArcsec(const std::vector<Galaxy>& all, size_t i, double pixelScale) {
    double best = 99.0;
    for (size_t j = 0; j < all.size(); ++j) {
        if (j != i) best = std::min(best, pixelScale * std::hypot(all[i].x - all[j].x, all[i].y - all[j].y));
    }
    return best;
}

} // namespace

QJsonObject loadRecipe(const QString& nameOrPath) {
    if (nameOrPath == QLatin1String("demo")) return readJsonFile(resourceFolder() + QStringLiteral("/demo/demo.json"));
    if (QFileInfo(nameOrPath).isFile()) return readJsonFile(nameOrPath);
    const QDir folder(resourceFolder() + QStringLiteral("/recipes"));
    const QString own = folder.filePath(nameOrPath + QStringLiteral(".json"));
    if (!nameOrPath.isEmpty() && QFileInfo(own).isFile()) return readJsonFile(own);
    QStringList known = folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name);
    known.replaceInStrings(QStringLiteral(".json"), QString());
    known.prepend(QStringLiteral("demo"));
    throw UsageError(QStringLiteral("there is no recipe \"%1\"; built in are %2, others are JSON files")
                         .arg(nameOrPath, known.join(QStringLiteral(", "))));
}

ScenePtr simulateScene(const QJsonObject& recipeJson, std::uint64_t seed, int index, Progress* progress, int threads) {
    if (index < 0) throw UsageError(QStringLiteral("scene number %1 is negative").arg(index));
    Progress silent;
    if (!progress) progress = &silent;
    TaskPool& pool = TaskPool::shared();

    const Recipe recipe = Recipe::fromJson(recipeJson);
    const Survey& survey = recipe.survey;
    const size_t bands = survey.bands.size();
    const cv::Size size(recipe.width, recipe.height);

    std::vector<PsfModel> psfs;
    const PsfModel moffat = PsfModel::moffat(1.0, survey.psfBeta);
    std::vector<double> sky, sigma;
    for (size_t b = 0; b < bands; ++b) {
        Random random(seed, static_cast<std::uint64_t>(index), b, StreamSeeing);
        const SurveyBand& band = survey.bands[b];
        const double fwhm = band.fwhmArcsec * recipe.seeingFactor * std::exp(recipe.seeingScatter * random.normal());
        psfs.push_back(moffat.scaled(fwhm / survey.pixelScale));
        sky.push_back(survey.skyElectrons(band));
        sigma.push_back(std::sqrt(sky.back() + band.readNoise * band.readNoise) / survey.gain);
    }
    const Renderer renderer(survey.pixelScale, psfs, std::vector<double>{1.0, 4.0}, sigma);
    const std::vector<Galaxy> galaxies = ObjectDrawer(recipe, renderer, seed, index).draw();
    const int count = static_cast<int>(galaxies.size());

    auto scene = std::make_shared<Scene>();
    scene->id = QStringLiteral("%1_%2").arg(recipe.name).arg(index, 4, 10, QLatin1Char('0'));
    scene->size = size;
    scene->pixelScale = survey.pixelScale;
    scene->wcs =
        Wcs::tangent({recipe.ra, recipe.dec}, {0.5 * (recipe.width - 1), 0.5 * (recipe.height - 1)}, survey.pixelScale);

    // Objects are drawn in any order and added in theirs: the same sums for any number of threads. A batch bounds the
    // memory where the single images are not kept.
    progress->begin(QStringLiteral("drawing objects"), count);
    Truth truth;
    truth.isolated.assign(recipe.isolated ? bands : 0, std::vector<PlanePtr>(static_cast<size_t>(count)));
    std::vector<cv::Mat> noiseless(bands);
    for (cv::Mat& m : noiseless) {
        m = cv::Mat::zeros(size, CV_32F);
    }
    int reference = 0; // band of the segmentation and of flux-averaged shapes
    for (size_t b = 0; b < bands; ++b) {
        if (std::abs(survey.bands[b].wavelength - 756.0) <
            std::abs(survey.bands[static_cast<size_t>(reference)].wavelength - 756.0)) {
            reference = static_cast<int>(b);
        }
    }
    const auto ref = static_cast<size_t>(reference);
    cv::Mat owner = cv::Mat::zeros(size, CV_32S), most = cv::Mat::zeros(size, CV_32F);
    std::vector<std::vector<double>> squares(static_cast<size_t>(count), std::vector<double>(bands));
    std::vector<std::vector<std::shared_ptr<const CutoutPlane>>> kept(static_cast<size_t>(count));
    constexpr int kBatch = 64;
    for (int start = 0; start < count; start += kBatch) {
        const int batch = std::min(kBatch, count - start);
        pool.parallelFor(
            batch,
            [&](int k) {
                progress->check();
                const auto i = static_cast<size_t>(start + k);
                const Renderer::Drawing drawing = renderer.draw(galaxies[i]);
                for (size_t b = 0; b < bands; ++b) {
                    auto plane = std::make_shared<CutoutPlane>(size, drawing.bands[b], drawing.box.x0, drawing.box.y0);
                    if (!plane->cutoutBox().empty()) squares[i][b] = plane->cutout().dot(plane->cutout());
                    kept[i].push_back(std::move(plane));
                }
                progress->advance();
            },
            threads);
        pool.parallelFor(
            static_cast<int>(bands) + 1,
            [&](int k) {
                for (int j = start; j < start + batch; ++j) {
                    const auto i = static_cast<size_t>(j);
                    const auto b = k < static_cast<int>(bands) ? static_cast<size_t>(k) : ref;
                    const CutoutPlane& plane = *kept[i][b];
                    if (plane.cutoutBox().empty()) continue;
                    const cv::Rect rect = plane.cutoutBox().rect();
                    if (k < static_cast<int>(bands)) {
                        noiseless[b](rect) += plane.cutout();
                    } else {
                        const cv::Mat brighter = plane.cutout() > most(rect);
                        owner(rect).setTo(j + 1, brighter);
                        plane.cutout().copyTo(most(rect), brighter);
                    }
                }
            },
            threads);
        for (int j = start; j < start + batch; ++j) {
            const auto i = static_cast<size_t>(j);
            for (size_t b = 0; recipe.isolated && b < bands; ++b) {
                truth.isolated[b][i] = kept[i][b];
            }
            if (!recipe.isolated) kept[i].clear();
        }
    }
    owner.setTo(0, noiseless[ref] < sigma[ref]);
    truth.segmentation = std::make_shared<MemoryPlane>(owner);

    progress->begin(QStringLiteral("drawing noise"), static_cast<long long>(bands));
    scene->bands.resize(bands);
    pool.parallelFor(
        static_cast<int>(bands),
        [&](int k) {
            const auto b = static_cast<size_t>(k);
            const SurveyBand& from = survey.bands[b];
            Random random(seed, static_cast<std::uint64_t>(index), b, StreamNoise);
            cv::Mat image = noiseless[b].clone();
            for (int y = 0; recipe.noise && y < size.height; ++y) {
                progress->check();
                float* row = image.ptr<float>(y);
                for (int x = 0; x < size.width; ++x) {
                    const double mean = sky[b] + std::max(0.0, survey.gain * double(row[x]));
                    double electrons = static_cast<double>(random.poisson(mean)) - sky[b];
                    if (from.readNoise > 0.0) electrons += random.normal(0.0, from.readNoise);
                    row[x] = static_cast<float>(electrons / survey.gain);
                }
            }
            Band& band = scene->bands[b];
            band.name = from.name;
            band.image = std::make_shared<MemoryPlane>(image);
            band.variance = std::make_shared<ConstantPlane>(size, static_cast<float>(sigma[b] * sigma[b]));
            band.psf = renderer.psf(k);
            band.zeroPoint = survey.countZeroPoint(from);
            band.gain = survey.gain;
            band.varianceIsSkyOnly = true;
            band.skySubtracted = true;
            band.wavelength = from.wavelength;
            progress->advance();
        },
        threads);

    std::vector<int> segmented(static_cast<size_t>(count) + 1, 0);
    for (int y = 0; y < size.height; ++y) {
        const int* row = owner.ptr<int>(y);
        for (int x = 0; x < size.width; ++x) {
            ++segmented[static_cast<size_t>(row[x])];
        }
    }
    truth.objects.resize(static_cast<size_t>(count));
    pool.parallelFor(
        count,
        [&](int k) {
            const auto i = static_cast<size_t>(k);
            const Galaxy& g = galaxies[i];
            TruthObject& t = truth.objects[i];
            t.id = k + 1;
            t.kind = g.star ? QStringLiteral("star") : QStringLiteral("gal");
            t.x = g.x;
            t.y = g.y;
            QMap<QString, double>& c = t.columns;
            putShape(g, ref, c);
            t.hlrArcsec = c.value(QStringLiteral("hlr"));
            c[QStringLiteral("obj_id")] = t.id;
            c[QStringLiteral("x")] = g.x;
            c[QStringLiteral("y")] = g.y;
            c[QStringLiteral("z")] = g.redshift;
            if (const auto position = scene->wcs.toSky(g.x, g.y)) {
                c[QStringLiteral("ra")] = position->ra;
                c[QStringLiteral("dec")] = position->dec;
            }
            for (size_t b = 0; b < bands; ++b) {
                const QString& name = survey.bands[b].name;
                t.flux.push_back(g.totalFlux(b));
                c[QStringLiteral("flux_") + name] = t.flux.back();
                c[QStringLiteral("mag_") + name] = g.magnitude[b];
                c[QStringLiteral("btfrac_") + name] = bulgeShare(g, b);
                c[QStringLiteral("snr_") + name] = std::sqrt(squares[i][b]) / sigma[b];
                if (recipe.isolated && squares[i][b] > 0.0) {
                    const CutoutPlane& plane = *kept[i][b];
                    const double with = plane.cutout().dot(noiseless[b](plane.cutoutBox().rect()));
                    c[QStringLiteral("blend_") + name] = std::max(0.0, 1.0 - squares[i][b] / with);
                }
            }
            c[QStringLiteral("snr_det")] = detectionSnr(survey, squares[i], sigma);
            c[QStringLiteral("nn_sep")] = nearestArcsec(galaxies, i, survey.pixelScale);
            c[QStringLiteral("seg_npix")] = segmented[i + 1];
        },
        threads);
    for (cv::Mat& m : noiseless) {
        truth.noiseless.push_back(std::make_shared<MemoryPlane>(m));
    }
    scene->truth = std::move(truth);
    return scene;
}

} // namespace blendscope
