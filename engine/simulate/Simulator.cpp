#include "simulate/Simulator.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "core/Random.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "method/Registry.h"
#include "simulate/Layout.h"
#include "simulate/Observation.h"
#include "simulate/Recipe.h"
#include "simulate/RecipeReader.h"
#include "simulate/TruthTable.h"

#include <QDir>
#include <QFileInfo>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

// Of very many objects, isolated images leave out the faintest wings: else they would fill the memory.
constexpr int kManyObjects = 1000;
constexpr double kFaintWing = 0.01; // sky sigmas

QDir recipeFolder() {
    return {resourceFolder() + QStringLiteral("/recipes")};
}

} // namespace

QStringList recipeNames() {
    QStringList known = recipeFolder().entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name);
    known.replaceInStrings(QStringLiteral(".json"), QString());
    known.prepend(QStringLiteral("demo"));
    return known;
}

QJsonObject loadRecipe(const QString& nameOrPath) {
    if (nameOrPath == QLatin1String("demo")) return readJsonFile(resourceFolder() + QStringLiteral("/demo/demo.json"));
    if (QFileInfo(nameOrPath).isFile()) return readJsonFile(nameOrPath);
    const QString own = recipeFolder().filePath(nameOrPath + QStringLiteral(".json"));
    if (!nameOrPath.isEmpty() && QFileInfo(own).isFile()) return readJsonFile(own);
    throw UsageError(QStringLiteral("there is no recipe \"%1\"; built in are %2, others are JSON files")
                         .arg(nameOrPath, recipeNames().join(QStringLiteral(", "))));
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

    const Observatory observatory(recipe);
    const Observatory::Night night = observatory.observe(seed, index);
    const Renderer& renderer = *night.renderer;
    std::vector<double> sigma;
    for (const NoiseModel& noise : night.noise) {
        sigma.push_back(noise.sigma());
    }
    const std::vector<Galaxy> galaxies = drawObjects(recipe, renderer, seed, index);
    const int count = static_cast<int>(galaxies.size());

    auto scene = std::make_shared<Scene>();
    scene->id = QStringLiteral("%1_%2").arg(recipe.name).arg(index, 4, 10, QLatin1Char('0'));
    if (recipe.layout.kind == QLatin1String("cases")) {
        scene->id += QLatin1Char('_') + recipe.layout.cases[static_cast<size_t>(recipe.layout.cell(index))].name;
    }
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
    const size_t ref = referenceBand(survey);
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
                if (count > kManyObjects) kept[i][b] = kept[i][b]->trimmed(static_cast<float>(kFaintWing * sigma[b]));
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
            progress->check();
            const Observatory::Exposure exposure = observatory.expose(night, b, galaxies, noiseless[b], seed, index);
            Band& band = scene->bands[b];
            band.name = from.name;
            band.image = std::make_shared<MemoryPlane>(exposure.image);
            if (!exposure.mask.empty()) {
                band.mask = std::make_shared<MemoryPlane>(exposure.mask);
                band.maskNames = recipe.artefacts.maskNames();
            }
            band.variance = std::make_shared<ConstantPlane>(size, static_cast<float>(sigma[b] * sigma[b]));
            band.psf = renderer.psfAt(k, 0.5 * (size.width - 1), 0.5 * (size.height - 1));
            band.zeroPoint = survey.countZeroPoint(from);
            band.gain = survey.gain;
            band.varianceIsSkyOnly = true;
            band.skySubtracted = true;
            band.wavelength = from.wavelength;
            progress->advance();
        },
        threads);

    if (night.varies) {
        scene->assumptions << QStringLiteral("the PSFs change over the field; those given are of its middle");
    }
    if (recipe.artefacts.tracking > 0.0) {
        scene->assumptions << QStringLiteral("the telescope drifted: the PSFs given are those of good tracking");
    }
    if (recipe.noiseCorrelation > 0.0) {
        scene->assumptions << QStringLiteral("neighbouring pixels share noise; the variance is that of single pixels");
    }
    std::vector<int> segmented(static_cast<size_t>(count) + 1, 0);
    for (int y = 0; y < size.height; ++y) {
        const int* row = owner.ptr<int>(y);
        for (int x = 0; x < size.width; ++x) {
            ++segmented[static_cast<size_t>(row[x])];
        }
    }
    std::vector<PixelPosition> positions;
    for (const Galaxy& g : galaxies) {
        positions.push_back({g.x, g.y});
    }
    const std::vector<double> nearest = nearestArcsec(positions, survey.pixelScale);
    truth.objects.resize(static_cast<size_t>(count));
    pool.parallelFor(
        count,
        [&](int k) {
            const auto i = static_cast<size_t>(k);
            TruthObject& t = truth.objects[i];
            t = truthOf(galaxies[i], k + 1, survey, scene->wcs, squares[i], sigma);
            QMap<QString, double>& c = t.columns;
            for (size_t b = 0; b < bands; ++b) {
                if (!recipe.isolated || !(squares[i][b] > 0.0)) continue;
                const CutoutPlane& plane = *kept[i][b];
                const double with = plane.cutout().dot(noiseless[b](plane.cutoutBox().rect()));
                c[QStringLiteral("blend_") + survey.bands[b].name] = std::max(0.0, 1.0 - squares[i][b] / with);
            }
            c[QStringLiteral("nn_sep")] = nearest[i];
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
