#include "core/Error.h"
#include "neural/BandSlots.h"
#include "neural/CentreMap.h"
#include "neural/FloatBox.h"
#include "neural/RegionDetector.h"
#include "neural/RegionNet.h"
#include "neural/RegionSample.h"
#include "neural/RegionScore.h"
#include "neural/RoiAlign.h"

#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

constexpr int kSide = 48;

/// Round Gaussians of known flux in three bands, noise left out.
TrainingStamp stampOf(const std::vector<cv::Point2f>& centres, double sigma = 2.0, double height = 40.0) {
    TrainingStamp stamp;
    stamp.patch.box = {0, 0, kSide, kSide};
    stamp.patch.bands = {QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("i")};
    stamp.patch.wavelength = {480.0, 620.0, 755.0};
    stamp.patch.sigma = {1.0f, 2.0f, 4.0f};
    stamp.patch.fwhm = {4.0, 4.0, 4.0};
    stamp.isolated.resize(3);
    for (size_t b = 0; b < 3; ++b) {
        cv::Mat sum = cv::Mat::zeros(kSide, kSide, CV_32F);
        for (const cv::Point2f& c : centres) {
            cv::Mat one(kSide, kSide, CV_32F);
            for (int y = 0; y < kSide; ++y) {
                for (int x = 0; x < kSide; ++x) {
                    const double r2 = std::pow(x - double(c.x), 2) + std::pow(y - double(c.y), 2);
                    one.at<float>(y, x) = static_cast<float>(height * double(stamp.patch.sigma[b]) *
                                                             std::exp(-r2 / (2.0 * sigma * sigma)));
                }
            }
            sum += one;
            stamp.isolated[b].push_back(one);
        }
        stamp.patch.image.push_back(sum);
        stamp.patch.weight.push_back(cv::Mat::ones(kSide, kSide, CV_32F));
        stamp.noiseless.push_back(sum);
    }
    for (size_t k = 0; k < centres.size(); ++k) {
        TruthObject object;
        object.id = static_cast<int>(k) + 1;
        object.kind = k % 2 ? QStringLiteral("star") : QStringLiteral("gal");
        object.x = double(centres[k].x);
        object.y = double(centres[k].y);
        stamp.objects.push_back(object);
    }
    return stamp;
}

RegionNetOptions tiny() {
    RegionNetOptions options;
    options.features = 12;
    options.maskChannels = 8;
    return options;
}

RegionDetection detectionAt(float x, float y, float score, float star = 0.0f) {
    RegionDetection d;
    d.x = x;
    d.y = y;
    d.score = score;
    d.star = star;
    d.box = {x - 3, y - 3, x + 3, y + 3};
    return d;
}

} // namespace

class TestRegions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void overlapsHaveTheirClosedForms() {
        const FloatBox a{0, 0, 4, 4}, b{2, 0, 6, 4};
        QCOMPARE(intersectionOverUnion(a, a), 1.0f);
        QCOMPARE(intersectionOverUnion(a, b), 8.0f / 24.0f);
        QCOMPARE(intersectionOverUnion(b, a), intersectionOverUnion(a, b));
        QCOMPARE(intersectionOverUnion(a, {4, 0, 8, 4}), 0.0f); // edges that touch share no area
        QCOMPARE(intersectionOverUnion({1, 1, 1, 1}, {1, 1, 1, 1}), 0.0f);
    }

    void theBestOfOverlappingBoxesStays() {
        const std::vector<FloatBox> boxes{{0, 0, 10, 10}, {1, 0, 11, 10}, {20, 0, 30, 10}, {6, 0, 16, 10}};
        QCOMPARE(suppressOverlaps(boxes, {0.5f, 0.9f, 0.1f, 0.8f}, 0.5f), (std::vector<int>{1, 3, 2}));
        QCOMPARE(suppressOverlaps(boxes, {0.5f, 0.9f, 0.1f, 0.8f}, 0.3f), (std::vector<int>{1, 2}));
        // One that was itself suppressed suppresses nobody.
        QCOMPARE(suppressNear({0, 2, 4}, {0, 0, 0}, {3, 2, 1}, 2.5f), (std::vector<int>{0, 2}));
        QCOMPARE(suppressNear({0, 2, 4}, {0, 0, 0}, {1, 1, 1}, 0.0f), (std::vector<int>{0, 1, 2}));
        QVERIFY_EXCEPTION_THROWN((void)suppressOverlaps(boxes, {1.0f}, 0.5f), UsageError);
    }

    void aRampIsSampledExactly() {
        // Bilinear sampling of a plane a + b x + c y gives its value at every bin's centre.
        const torch::Tensor x = torch::arange(20, torch::kDouble), y = torch::arange(16, torch::kDouble);
        const torch::Tensor plane = 3 + 0.5 * 2 * x.unsqueeze(0) - 0.25 * 2 * y.unsqueeze(1); // pixels at stride 2
        const torch::Tensor maps = torch::stack({plane, -plane}).unsqueeze(1);
        const torch::Tensor boxes = torch::tensor({{3.3, 4.1, 19.7, 20.9}, {8.0, 8.0, 14.0, 14.0}}, torch::kDouble);
        const torch::Tensor got = roiAlign(maps, boxes, torch::tensor({0, 1}, torch::kLong), 5, 2.0);
        const torch::Tensor grid = roiGrid(boxes, 5);
        torch::Tensor wanted = 3 + 0.5 * grid.select(3, 0) - 0.25 * grid.select(3, 1);
        wanted = torch::stack({wanted[0], -wanted[1]}).unsqueeze(1);
        QCOMPARE(got.scalar_type(), torch::kDouble);
        QVERIFY(torch::allclose(got, wanted, 1e-12, 1e-12));
        QCOMPARE(grid[1][0][0][0].item<double>(), 8.0 + 0.5 * 6.0 / 5.0);
    }

    void alignedRegionsPassGradientsOn() {
        // The sum of samples is linear in the map: its gradient is the sum of the bilinear weights.
        torch::Tensor map = torch::zeros({1, 1, 6, 6}, torch::kDouble).requires_grad_();
        const torch::Tensor boxes = torch::tensor({{1.25, 2.0, 2.25, 3.0}}, torch::kDouble);
        roiAlign(map, boxes, torch::zeros({1}, torch::kLong), 1, 1.0).sum().backward();
        const torch::Tensor g = map.grad()[0][0]; // one sample, at (1.75, 2.5)
        QVERIFY(std::abs(g[2][1].item<double>() - 0.25 * 0.5) < 1e-12);
        QVERIFY(std::abs(g[2][2].item<double>() - 0.75 * 0.5) < 1e-12);
        QVERIFY(std::abs(g[3][2].item<double>() - 0.75 * 0.5) < 1e-12);
        QVERIFY(std::abs(g.sum().item<double>() - 1.0) < 1e-12);
    }

    void regionsBeyondTheMapTakeItsBorder() {
        const torch::Tensor map = torch::arange(16, torch::kFloat).reshape({1, 1, 4, 4});
        const torch::Tensor far = torch::tensor({{-30.0f, -30.0f, -20.0f, -20.0f}, {50.0f, 50.0f, 60.0f, 60.0f}});
        const torch::Tensor got = roiAlign(map, far, torch::zeros({2}, torch::kLong), 2, 1.0);
        QVERIFY(torch::equal(got[0], torch::zeros({1, 2, 2})));
        QVERIFY(torch::equal(got[1], torch::full({1, 2, 2}, 15.0f)));
        QCOMPARE(roiAlign(map, torch::zeros({0, 4}), torch::zeros({0}, torch::kLong), 3, 1.0).size(0), 0);
        QVERIFY_EXCEPTION_THROWN((void)roiAlign(map[0], far, torch::zeros({2}, torch::kLong), 2, 1.0), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)roiAlign(map, far, torch::zeros({3}, torch::kLong), 2, 1.0), UsageError);
    }

    void centresComeBackFromTheirMap() {
        const std::vector<Centre> centres{{5, 7, 1}, {8, 7, 1}, {20, 30, 1}, {60, 3, 1}};
        const torch::Tensor map = centreTarget(centres, 40, 32, 0.8);
        const std::vector<Centre> found = centrePeaks(map, 0.9f, 100);
        QCOMPARE(found.size(), 3u); // one lies outside
        for (size_t i = 0; i < found.size(); ++i) {
            QCOMPARE(found[i].x, centres[i].x);
            QCOMPARE(found[i].y, centres[i].y);
        }
        QVERIFY(std::abs(map[7][6].item<float>() - std::exp(-1.0 / (2 * 0.64))) < 1e-6);
        QCOMPARE(centrePeaks(map, 0.9f, 2).size(), 2u);
        QCOMPARE(centrePeaks(torch::full({4, 4}, 0.5f), 0.1f, 100).size(), 1u); // a plateau is one
        const torch::Tensor nan = torch::full({4, 4}, std::nanf(""));
        QVERIFY(centrePeaks(nan, 0.1f, 100).empty());
    }

    void theFocalLossHasItsClosedForm() {
        const double p = 0.3, logit = std::log(p / (1 - p));
        const torch::Tensor logits = torch::full({1, 1, 2}, logit, torch::kDouble);
        const torch::Tensor target = torch::tensor({1.0, 0.5}, torch::kDouble).reshape({1, 1, 2});
        const double wanted = -std::pow(1 - p, 2) * std::log(p) - std::pow(0.5, 4) * p * p * std::log(1 - p);
        QVERIFY(std::abs(centreLoss(logits, target, torch::ones_like(target)).item<double>() - wanted) < 1e-9);
        const torch::Tensor first = torch::tensor({1.0, 0.0}, torch::kDouble).reshape({1, 1, 2});
        QVERIFY(std::abs(centreLoss(logits, target, first).item<double>() + std::pow(1 - p, 2) * std::log(p)) < 1e-9);
    }

    void bandsTakeTheirSlots() {
        QCOMPARE(bandSlots({365, 480, 622, 755, 869, 971}), (std::vector<int>{0, 1, 2, 3, 4, 5}));
        QCOMPARE(bandSlots({755, 480, 622}), (std::vector<int>{3, 1, 2}));
        QCOMPARE(bandSlots({474, 644, 783, 926, 1009}), (std::vector<int>{1, 2, 3, 4, 5}));
        QCOMPARE(bandSlots({725}), std::vector<int>{3});
        QCOMPARE(bandSlots({0}), std::vector<int>{3});
        QCOMPARE(bandSlots({1020, 1250, 1540}), (std::vector<int>{3, 4, 5}));
        QVERIFY_EXCEPTION_THROWN((void)bandSlots({}), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)bandSlots(std::vector<double>(7, 500.0)), UsageError);
    }

    void targetsFollowFromTheLight() {
        TrainingStamp stamp = stampOf({{20.0f, 24.0f}, {90.0f, 24.0f}});
        const std::vector<TargetObject> targets = sceneTargets(stamp);
        QCOMPARE(targets.size(), 1u); // the other one has its centre outside
        // Matched filter of a Gaussian of height h (in sigma) and width s in three bands: h sqrt(3 pi) s.
        QVERIFY(std::abs(double(targets[0].snr) / (40.0 * std::sqrt(3 * M_PI) * 2.0) - 1.0) < 1e-3);
        // Its light over bands exceeds one sigma to r = s sqrt(2 ln(h sqrt 3)).
        const double r = 2.0 * std::sqrt(2.0 * std::log(40.0 * std::sqrt(3.0)));
        QVERIFY(std::abs(double(targets[0].box.x0) - (20.0 - std::floor(r) - 0.5)) < 1e-5);
        QVERIFY(std::abs(double(targets[0].box.y1) - (24.0 + std::floor(r) + 0.5)) < 1e-5);
        stamp.isolated.clear();
        QVERIFY_EXCEPTION_THROWN((void)sceneTargets(stamp), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)regionSample(stamp, {}), UsageError);
    }

    void samplesKeepTheirBands() {
        const Tensors sample = regionSample(stampOf({{20.0f, 24.0f}, {30.0f, 24.0f}}), {});
        QVERIFY(torch::equal(sample.at("presence"), torch::tensor({0.f, 1.f, 1.f, 1.f, 0.f, 0.f})));
        QCOMPARE(sample.at("objects").size(0), 2);
        QVERIFY(torch::allclose(sample.at("iso").sum(0), sample.at("total"), 1e-4, 1e-3));
        QVERIFY(std::abs(sample.at("iso")[0][2][24][20].item<float>() - 40.0f) < 1e-3);
        const Tensors batch = collateRegions({sample, sample, sample});
        QVERIFY(torch::equal(batch.at("object_image"), torch::tensor({0, 0, 1, 1, 2, 2}, torch::kLong)));
        QCOMPARE(batch.at("iso").size(0), 6);
    }

    /// Every tensor follows the type of its input: what would catch one that is made on another device too.
    void theNetworkFollowsItsInputsType() {
        torch::manual_seed(3);
        RegionNet net(tiny());
        net->to(torch::kDouble);
        const auto options = torch::TensorOptions(torch::kDouble);
        const RegionNetImpl::Dense d = net->dense(torch::randn({2, 6, 32, 40}, options), torch::ones({2, 6}, options),
                                                  torch::full({2, 6}, 4, options));
        QCOMPARE(d.logits.sizes(), (at::IntArrayRef{2, 32, 40}));
        QCOMPARE(d.distances.sizes(), (at::IntArrayRef{2, 4, 32, 40}));
        QCOMPARE(d.logits.scalar_type(), torch::kDouble);
        RegionNetImpl::Proposals p;
        p.centres = torch::tensor({{10.0, 11.0}, {13.0, 12.0}, {30.0, 20.0}}, options);
        p.scores = torch::tensor({0.9, 0.5, 0.7}, options);
        p.distances = torch::full({3, 4}, 5.0, options);
        p.distances[2] = 30.0; // one for the coarse level
        p.image = torch::tensor({0, 0, 1}, torch::kLong);
        const torch::Tensor map = RegionNetImpl::drawCentres(d.levels, p);
        QVERIFY(std::abs(map[0][0][11][10].item<double>() - 0.9) < 1e-12);
        QVERIFY(std::abs(map[0][0][12][13].item<double>() - 0.5) < 1e-12);
        QCOMPARE(map[1][0][11][10].item<double>(), 0.0);
        const RegionNetImpl::Regions r = net->regions(d.levels, map, p);
        const torch::Tensor masks = net->masks(d.levels, map, p, torch::tensor({0, 2}, torch::kLong));
        for (const torch::Tensor& t : {r.classes, r.centres, r.boxes, masks}) {
            QCOMPARE(t.scalar_type(), torch::kDouble);
            QVERIFY(torch::isfinite(t).all().item<bool>());
        }
        QCOMPARE(masks.sizes(), (at::IntArrayRef{2, 7, 28, 28}));
        QVERIFY_EXCEPTION_THROWN((void)net->dense(torch::zeros({1, 6, 30, 40}, options), torch::ones({1, 6}, options),
                                                  torch::ones({1, 6}, options)),
                                 UsageError);
    }

    void pixelsReachNoFartherThanSaid() {
        torch::manual_seed(4);
        RegionNet net(tiny());
        const torch::NoGradGuard frozen;
        for (torch::Tensor& p : net->parameters()) {
            p.normal_(0.0, 0.1); // gains and modulations start at zero: no reach
        }
        const int side = 256, middle = 128;
        const torch::Tensor ones = torch::ones({1, 6}), x = torch::randn({1, 6, side, side});
        torch::Tensor y = x.clone();
        y.slice(2, middle, middle + 1).slice(3, middle, middle + 1) += 100.0;
        const torch::Tensor d = (net->dense(x, ones, 4 * ones).logits - net->dense(y, ones, 4 * ones).logits)[0].abs();
        const torch::Tensor rows = (d.amax(1) > 0).nonzero().squeeze(1);
        QVERIFY(rows.size(0) > 8);
        QVERIFY(middle - rows.min().item<std::int64_t>() <= net->reach());
        QVERIFY(rows.max().item<std::int64_t>() - middle <= net->reach());
    }

    /// The photons of a bright star are no sharper to the network than the sky.
    void photonsAreNoise() {
        BandInput input;
        const torch::NoGradGuard frozen;
        torch::manual_seed(6);
        const torch::Tensor presence = torch::tensor({{0.f, 1.f, 1.f, 1.f, 0.f, 0.f}});
        const torch::Tensor fwhm = torch::full({1, 6}, 4.0f), poisson = torch::full({1, 6}, 0.05f);
        const double light = 4000.0;
        const torch::Tensor sky = torch::randn({1, 6, 96, 96});
        const torch::Tensor bright = light + torch::randn({1, 6, 96, 96}) * std::sqrt(1.0 + 0.05 * light);
        const auto sharpness = [&](const torch::Tensor& image, const torch::Tensor& photons) {
            const torch::Tensor c = input->forward(image, presence, fwhm, photons).channels;
            return c.slice(1, kBandSlots + 1, kBandSlots + 4).slice(2, 12, -12).slice(3, 12, -12).std().item<double>();
        };
        const double quiet = sharpness(sky, poisson);
        QVERIFY(sharpness(bright, {}) > 4.0 * quiet);
        QVERIFY2(std::abs(sharpness(bright, poisson) / quiet - 1.0) < 0.1,
                 qPrintable(QString::number(sharpness(bright, poisson) / quiet)));
        QVERIFY(torch::equal(input->forward(sky, presence, fwhm).channels,
                             input->forward(sky, presence, fwhm, torch::zeros({1, 6})).channels));
    }

    void absentBandsCannotBeSeen() {
        torch::manual_seed(5);
        RegionNet net(tiny());
        const torch::Tensor presence = torch::tensor({{0.f, 1.f, 1.f, 0.f, 0.f, 0.f}});
        torch::Tensor x = torch::randn({1, 6, 32, 32}), fwhm = torch::full({1, 6}, 4.0f);
        const torch::Tensor before = net->dense(x, presence, fwhm).logits;
        x.select(1, 3) += 1000.0f;
        fwhm.select(1, 5) = 9.0f;
        QVERIFY(torch::equal(before, net->dense(x, presence, fwhm).logits));
    }

    /// One sample learned by heart: every head must come near its target, so every loss must fall.
    void aSampleCanBeLearned() {
        torch::manual_seed(6);
        RegionNet net(tiny());
        const Tensors batch = collateRegions({regionSample(stampOf({{20.0f, 24.0f}, {27.0f, 26.0f}}), {})});
        torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(3e-3));
        Tensors first, last;
        for (int step = 0; step < 80; ++step) {
            RegionLossOptions options;
            options.seed = static_cast<std::uint64_t>(step);
            const Tensors losses = regionLosses(net, batch, options);
            optimizer.zero_grad();
            losses.at("total").backward();
            if (step == 0) {
                for (const auto& item : net->named_parameters()) {
                    if (item.key().rfind("pyramid.smooth1", 0) == 0) continue; // no object here is large
                    QVERIFY2(item.value().grad().defined(), item.key().c_str());
                }
                first = losses;
            }
            optimizer.step();
            last = losses;
        }
        const std::pair<const char*, float> most[] = {
            {"centre", 0.5f}, {"class", 0.6f}, {"share", 0.9f}, {"extent", 0.9f}, {"distance", 0.9f}};
        for (const auto& [name, share] : most) {
            const float before = first.at(name).item<float>(), after = last.at(name).item<float>();
            QVERIFY2(after < share * before,
                     qPrintable(QStringLiteral("%1: %2 to %3").arg(QLatin1String(name)).arg(before).arg(after)));
        }
        RegionDetectorOptions options;
        options.leastScore = 0.3f;
        const RegionNetImpl::Dense d =
            net->dense(batch.at("images"), batch.at("presence"), batch.at("fwhm"), batch.at("poisson"));
        const Box all{0, 0, kSide, kSide};
        const auto found = detectRegions(net, d.levels, torch::sigmoid(d.logits[0]), d.distances[0], all, options);
        QCOMPARE(found.size(), 2u);
        for (const RegionDetection& f : found) {
            QVERIFY(std::min(std::hypot(f.x - 20.0f, f.y - 24.0f), std::hypot(f.x - 27.0f, f.y - 26.0f)) < 1.5f);
            QCOMPARE(f.mask.sizes(), (at::IntArrayRef{7, 28, 28}));
        }
        // Asked at given positions, the same network answers there, in the given order.
        const auto given = regionsAt(net, d.levels, d.distances[0], {{27, 26, 0.7f}, {20, 24, 0.7f}, {40, 8, 0.7f}});
        QCOMPARE(given.size(), 3u);
        QCOMPARE(given[0].x, 27.0f);
        QVERIFY(given[0].mask.defined() && given[2].mask.defined());
        const Box left{0, 0, 23, kSide};
        QCOMPARE(detectRegions(net, d.levels, torch::sigmoid(d.logits[0]), d.distances[0], left, options).size(), 1u);
    }

    void scoresAreCountedAsSaid() {
        // Columns: star, x, y, box, S/N, wanted. Two asked galaxies 6 pixels apart, an asked star, one too faint.
        const torch::Tensor objects = torch::tensor({{0.f, 10.f, 10.f, 7.f, 7.f, 13.f, 13.f, 50.f, 1.f},
                                                     {0.f, 16.f, 10.f, 13.f, 7.f, 19.f, 13.f, 50.f, 1.f},
                                                     {1.f, 40.f, 10.f, 37.f, 7.f, 43.f, 13.f, 50.f, 1.f},
                                                     {0.f, 10.f, 40.f, 7.f, 37.f, 13.f, 43.f, 6.f, 1.f}});
        RegionScore all;
        all.add({detectionAt(10, 10, 0.9f), detectionAt(16, 10, 0.8f), detectionAt(40, 10, 0.7f, 1.0f),
                 detectionAt(10, 40, 0.6f)},
                objects);
        QCOMPARE(all.metrics()[QStringLiteral("ap")], 1.0);
        QCOMPARE(all.metrics()[QStringLiteral("blends")], 1.0);
        QCOMPARE(all.metrics()[QStringLiteral("star_precision")], 1.0);
        QCOMPARE(all.metrics()[QStringLiteral("box_iou")], 1.0);

        RegionScore poor; // a false one between two right ones, the second galaxy missed, the star taken for a galaxy
        poor.add({detectionAt(10, 10, 0.9f), detectionAt(30, 30, 0.8f), detectionAt(40, 10, 0.7f)}, objects);
        QVERIFY(std::abs(poor.metrics()[QStringLiteral("ap")] - (1.0 + 2.0 / 3.0) / 3.0) < 1e-12);
        QVERIFY(std::abs(poor.metrics()[QStringLiteral("completeness")] - 1.0 / 3.0) < 1e-12);
        QCOMPARE(poor.metrics()[QStringLiteral("blends")], 0.0);
        QCOMPARE(poor.metrics()[QStringLiteral("star_precision")], 0.0);
        QCOMPARE(RegionScore().metrics()[QStringLiteral("ap")], 0.0);
    }
};

QTEST_GUILESS_MAIN(TestRegions)
#include "tst_Regions.moc"
