#include "judge/HostileScenes.h"

#include "core/Random.h"
#include "simulate/Simulator.h"

#include <QJsonArray>
#include <cmath>
#include <functional>
#include <limits>

namespace blendscope {

namespace {

constexpr int kSide = 160;
constexpr float kHuge = 1e30f;
const float kNotANumber = std::numeric_limits<float>::quiet_NaN();

QJsonObject cleanRecipe() {
    return {{QStringLiteral("name"), QStringLiteral("hostile")},
            {QStringLiteral("survey"), QStringLiteral("lsst")},
            {QStringLiteral("bands"), QJsonArray{QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("i")}},
            {QStringLiteral("size"), QJsonArray{kSide, kSide}},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.0, 25.0}},
                                                     {QStringLiteral("count"), QJsonArray{40, 40}},
                                                     {QStringLiteral("clustered"), 0.6},
                                                     {QStringLiteral("reach"), 1.6},
                                                     {QStringLiteral("margin"), 14}}}};
}

cv::Mat imageOf(const Scene& scene, size_t band) {
    return scene.bands[band].image->read(scene.box()).clone();
}

/// A copy of the scene with every band's image changed.
ScenePtr withImages(const Scene& scene, const QString& name, const std::function<void(cv::Mat&, size_t)>& change) {
    auto copy = std::make_shared<Scene>(scene);
    copy->id = name;
    for (size_t b = 0; b < copy->bands.size(); ++b) {
        cv::Mat image = imageOf(scene, b);
        change(image, b);
        copy->bands[b].image = std::make_shared<MemoryPlane>(image);
    }
    return copy;
}

ScenePtr withVariance(const Scene& scene, const QString& name, const std::function<cv::Mat(const cv::Mat&)>& change) {
    auto copy = std::make_shared<Scene>(scene);
    copy->id = name;
    for (Band& band : copy->bands) {
        band.variance = std::make_shared<MemoryPlane>(change(band.variance->read(scene.box())));
    }
    return copy;
}

/// A scene without truth of any size, filled by a function.
ScenePtr filled(const Scene& like, const QString& name, cv::Size size, const std::function<float(int, int)>& value) {
    auto scene = std::make_shared<Scene>();
    scene->id = name;
    scene->size = size;
    scene->pixelScale = like.pixelScale;
    for (const Band& from : like.bands) {
        Band band = from;
        cv::Mat image(size, CV_32F);
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) {
                image.at<float>(y, x) = value(x, y);
            }
        }
        band.image = std::make_shared<MemoryPlane>(image);
        const float sky = from.variance->read({0, 0, 1, 1}).at<float>(0, 0);
        band.variance = std::make_shared<ConstantPlane>(size, sky);
        band.mask = nullptr;
        scene->bands.push_back(std::move(band));
    }
    return scene;
}

} // namespace

std::vector<HostileScene> hostileScenes(std::uint64_t seed) {
    const ScenePtr clean = simulateScene(cleanRecipe(), seed, 0, nullptr, 1);
    const cv::Size size = clean->size;
    const float sigma = std::sqrt(clean->bands[1].variance->read({0, 0, 1, 1}).at<float>(0, 0));
    std::vector<HostileScene> out;
    const auto garbage = [&](const char* name, const char* what, ScenePtr scene) {
        out.push_back({QLatin1String(name), QLatin1String(what), std::move(scene), true});
    };
    const auto artefact = [&](const char* name, const char* what, ScenePtr scene) {
        out.push_back({QLatin1String(name), QLatin1String(what), std::move(scene), false});
    };

    artefact("clean", "no artefact, for comparison", clean);
    artefact("cosmic-rays", "streaks of charge in single bands",
             withImages(*clean, QStringLiteral("cosmic-rays"), [&](cv::Mat& m, size_t b) {
                 Random random(seed, 1, b);
                 for (int k = 0; k < 40; ++k) {
                     double x = random.uniform(0, size.width), y = random.uniform(0, size.height);
                     const double angle = random.uniform(0.0, 6.283), charge = sigma * random.uniform(20.0, 200.0);
                     for (int i = random.integer(2, 14); i > 0; --i) {
                         if (Box::of(size).contains(int(x), int(y))) m.at<float>(int(y), int(x)) += float(charge);
                         x += std::cos(angle);
                         y += std::sin(angle);
                     }
                 }
             }));
    artefact("satellite-trail", "a trail of a satellite across one band",
             withImages(*clean, QStringLiteral("satellite-trail"), [&](cv::Mat& m, size_t b) {
                 if (b != 1) return;
                 for (int y = 0; y < size.height; ++y) {
                     for (int x = 0; x < size.width; ++x) {
                         const double d = (x - 0.7 * y - 30.0) / 1.22;
                         m.at<float>(y, x) += float(30.0 * sigma * std::exp(-0.5 * d * d / 4.0));
                     }
                 }
             }));
    artefact("columns", "hot and dead columns in all bands",
             withImages(*clean, QStringLiteral("columns"), [&](cv::Mat& m, size_t) {
                 m.col(size.width / 3).setTo(100.0f * sigma);
                 m.col(size.width / 2).setTo(0.0f);
                 m.col(2 * size.width / 3).setTo(kNotANumber);
             }));
    artefact("saturated-star", "a star that bleeds along its columns",
             withImages(*clean, QStringLiteral("saturated-star"), [&](cv::Mat& m, size_t) {
                 const int cx = size.width / 2, cy = size.height / 2;
                 for (int y = 0; y < size.height; ++y) {
                     for (int x = 0; x < size.width; ++x) {
                         const double r2 = double(x - cx) * (x - cx) + double(y - cy) * (y - cy);
                         m.at<float>(y, x) += float(3e5 * sigma * std::pow(1.0 + r2 / 9.0, -3.0));
                     }
                 }
                 cv::min(m, 1000.0f * sigma, m);
                 m(cv::Rect(cx - 1, 10, 3, size.height - 20)).setTo(1000.0f * sigma);
             }));
    artefact("gradient", "a background that rises by 20 sigma across the scene",
             withImages(*clean, QStringLiteral("gradient"), [&](cv::Mat& m, size_t) {
                 for (int y = 0; y < size.height; ++y) {
                     for (int x = 0; x < size.width; ++x) {
                         m.at<float>(y, x) += 20.0f * sigma * float(x) / float(size.width);
                     }
                 }
             }));
    artefact(
        "misregistered", "bands two pixels apart",
        withImages(*clean, QStringLiteral("misregistered"), [&](cv::Mat& m, size_t b) {
            if (b != 0) return;
            const cv::Mat copy = m.clone();
            copy(cv::Rect(0, 0, size.width - 2, size.height)).copyTo(m(cv::Rect(2, 0, size.width - 2, size.height)));
        }));
    artefact("missing-band", "one band without data",
             withImages(*clean, QStringLiteral("missing-band"), [&](cv::Mat& m, size_t b) {
                 if (b == 0) m.setTo(kNotANumber);
             }));
    artefact("half-missing", "data in half of the scene alone",
             withImages(*clean, QStringLiteral("half-missing"),
                        [&](cv::Mat& m, size_t) { m.colRange(0, size.width / 2).setTo(kNotANumber); }));
    artefact(
        "wrong-variance", "a variance plane four times too small",
        withVariance(*clean, QStringLiteral("wrong-variance"), [](const cv::Mat& v) { return cv::Mat(v * 0.25f); }));
    {
        auto scene = std::make_shared<Scene>(*clean);
        scene->id = QStringLiteral("wrong-psf");
        for (Band& band : scene->bands) {
            band.psf = Psf::moffat(1.4 * band.psf.fwhmPixels);
        }
        artefact("wrong-psf", "a PSF 40 % too wide", scene);
    }
    {
        auto scene = std::make_shared<Scene>(*clean);
        scene->id = QStringLiteral("one-band");
        scene->bands = {clean->bands[2]};
        Truth truth = *clean->truth;
        for (TruthObject& t : truth.objects) {
            t.flux = {t.flux.size() > 2 ? t.flux[2] : std::nan("")};
        }
        if (truth.isolated.size() > 2) truth.isolated = {truth.isolated[2]};
        if (truth.noiseless.size() > 2) truth.noiseless = {truth.noiseless[2]};
        scene->truth = std::move(truth);
        artefact("one-band", "one band alone", scene);
    }

    const auto simulated = [&](const char* name, const char* what, const QJsonObject& artefacts, double starMagnitude) {
        QJsonObject recipe = cleanRecipe();
        recipe.insert(QStringLiteral("artefacts"), artefacts);
        if (starMagnitude > 0.0) {
            recipe.insert(QStringLiteral("objects"),
                          QJsonArray{QJsonObject{{QStringLiteral("kind"), QStringLiteral("star")},
                                                 {QStringLiteral("x"), kSide / 2},
                                                 {QStringLiteral("y"), kSide / 2},
                                                 {QStringLiteral("magnitude"), starMagnitude}}});
        }
        auto scene = std::make_shared<Scene>(*simulateScene(recipe, seed, 0, nullptr, 1));
        scene->id = QLatin1String(name);
        artefact(name, what, scene);
    };
    simulated("fringes", "fringes of five sigma", {{QStringLiteral("fringes"), 5.0}}, 0.0);
    simulated("nebulosity", "clouds of ten sigma", {{QStringLiteral("nebulosity"), 10.0}}, 0.0);
    simulated("spikes", "a bright star with diffraction spikes", {{QStringLiteral("spikes"), 0.02}}, 15.0);
    simulated("tracking", "bad tracking: everything is drawn out over 12 pixels", {{QStringLiteral("tracking"), 12.0}},
              0.0);

    const auto nothing = [](int, int) { return kNotANumber; };
    garbage("no-data", "no pixel with a value", filled(*clean, QStringLiteral("no-data"), size, nothing));
    garbage("all-zero", "zero everywhere",
            filled(*clean, QStringLiteral("all-zero"), size, [](int, int) { return 0.0f; }));
    garbage("absurd", "pixels of 1e30 and -1e30 in turn",
            filled(*clean, QStringLiteral("absurd"), size, [](int x, int y) { return (x + y) % 2 ? kHuge : -kHuge; }));
    garbage("infinite", "infinite pixels strewn in",
            withImages(*clean, QStringLiteral("infinite"), [&](cv::Mat& m, size_t) {
                for (int k = 0; k < size.width; k += 7) {
                    m.at<float>(k, (3 * k) % size.width) = std::numeric_limits<float>::infinity();
                }
            }));
    garbage("one-pixel", "a scene of one pixel",
            filled(*clean, QStringLiteral("one-pixel"), {1, 1}, [&](int, int) { return 50.0f * sigma; }));
    garbage("sliver", "a scene of 3 x 300 pixels", filled(*clean, QStringLiteral("sliver"), {300, 3}, [&](int x, int) {
                return x % 20 == 0 ? 50.0f * sigma : 0.0f;
            }));
    garbage("all-light", "every pixel far above the noise",
            filled(*clean, QStringLiteral("all-light"), size, [&](int x, int y) {
                return sigma * float(1000.0 + 100.0 * std::sin(0.3 * x) * std::sin(0.3 * y));
            }));
    garbage("no-variance", "a variance plane of zeros",
            withVariance(*clean, QStringLiteral("no-variance"),
                         [](const cv::Mat& v) { return cv::Mat(cv::Mat::zeros(v.size(), CV_32F)); }));
    garbage("nan-variance", "a variance plane without values",
            withVariance(*clean, QStringLiteral("nan-variance"),
                         [](const cv::Mat& v) { return cv::Mat(v.size(), CV_32F, cv::Scalar(double(kNotANumber))); }));
    {
        auto scene = std::make_shared<Scene>(*clean);
        scene->id = QStringLiteral("no-psf");
        for (Band& band : scene->bands) {
            band.psf = {};
        }
        garbage("no-psf", "no PSF in any band", scene);
    }
    // What is garbage has no truth that it could be held against.
    for (HostileScene& h : out) {
        if (!h.garbage || !h.scene->truth) continue;
        auto bare = std::make_shared<Scene>(*h.scene);
        bare->truth.reset();
        h.scene = bare;
    }
    return out;
}

} // namespace blendscope
