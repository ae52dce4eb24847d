#include "deblend/Apportion.h"
#include "support/BlendSupport.h"

#include <QTest>
#include <cmath>
#include <limits>

using namespace blendscope;

namespace {

/// A blend with random data and random, partly empty and partly broken models.
void randomCase(test::BlendCase& blend, BlendOutput& output, Random& random) {
    const int width = random.integer(1, 40), height = random.integer(1, 30), bands = random.integer(1, 3);
    std::vector<cv::Mat> zero(bands, cv::Mat(cv::Mat::zeros(height, width, CV_32F)));
    test::makeBlend(blend, zero, 1.0, 0.0, 1.5, {}, &random);
    cv::randu(blend.input.inside, 0, 2);
    blend.input.inside = blend.input.inside > 0;
    const Box& box = blend.input.box;
    const int children = random.integer(1, 5);
    for (int k = 0; k < children; ++k) {
        BlendOutput::Child child;
        child.peak.x = box.x0 + random.uniform(-2.0, width + 2.0);
        child.peak.y = box.y0 + random.uniform(-2.0, height + 2.0);
        child.box = Box{box.x0 + random.integer(-5, width - 1), box.y0 + random.integer(-5, height - 1),
                        random.integer(1, width + 5), random.integer(1, height + 5)};
        for (int b = 0; b < bands; ++b) {
            cv::Mat model(child.box.size(), CV_32F);
            for (float& v : cv::Mat_<float>(model)) {
                const double u = random.uniform();
                v = u < 0.3    ? 0.0f
                    : u < 0.32 ? std::numeric_limits<float>::quiet_NaN()
                    : u < 0.34 ? -1.0f
                    : u < 0.36 ? 1e-36f
                               : static_cast<float>(random.exponential());
            }
            child.model.push_back(model);
        }
        output.children.push_back(child);
    }
}

std::vector<int> idsOf(const BlendOutput& output) {
    std::vector<int> ids;
    for (size_t k = 0; k < output.children.size(); ++k) {
        ids.push_back(static_cast<int>(k) + 7);
    }
    return ids;
}

} // namespace

class TestApportion : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sharesAddUpToTheData() {
        Random random(3);
        for (int trial = 0; trial < 200; ++trial) {
            test::BlendCase blend;
            BlendOutput output;
            randomCase(blend, output, random);
            const std::vector<Component> components = apportion(blend.input, output, idsOf(output));
            QCOMPARE(components.size(), output.children.size());
            const Box& box = blend.input.box;
            for (size_t b = 0; b < blend.input.data.size(); ++b) {
                cv::Mat sum = cv::Mat::zeros(box.size(), CV_64F);
                for (const Component& c : components) {
                    QCOMPARE(c.share[b].size(), c.box.size());
                    QCOMPARE(c.model[b].size(), c.box.size());
                    QVERIFY(cv::checkRange(c.share[b]) && cv::checkRange(c.model[b]));
                    const Box in = c.box.intersected(box);
                    for (int y = in.y0; y < in.y1(); ++y) {
                        for (int x = in.x0; x < in.x1(); ++x) {
                            sum.at<double>(y - box.y0, x - box.x0) += c.share[b].at<float>(y - c.box.y0, x - c.box.x0);
                        }
                    }
                }
                for (int y = 0; y < box.height; ++y) {
                    for (int x = 0; x < box.width; ++x) {
                        if (!blend.input.inside.at<uchar>(y, x)) continue;
                        const double data = blend.input.data[b].at<float>(y, x);
                        QVERIFY2(std::abs(sum.at<double>(y, x) - data) <= 1e-6 * std::max(1.0, std::abs(data)),
                                 qPrintable(QStringLiteral("trial %1: %2 against %3")
                                                .arg(trial)
                                                .arg(sum.at<double>(y, x))
                                                .arg(data)));
                    }
                }
            }
        }
    }

    void sharesFollowTheModels() {
        test::BlendCase blend;
        const cv::Mat flat(1, 3, CV_32F, cv::Scalar(8.0));
        test::makeBlend(blend, {flat}, 1.0, 0.0, 1.0, {});
        BlendOutput output;
        const Box& box = blend.input.box;
        output.children.resize(2);
        output.children[0].peak = {double(box.x0), double(box.y0), 0, -1};
        output.children[0].box = box;
        output.children[0].model = {(cv::Mat_<float>(1, 3) << 3.0f, 1.0f, 0.0f)};
        output.children[1].peak = {box.x0 + 1.0, double(box.y0), 0, -1};
        output.children[1].box = {box.x0, box.y0, 2, 1};
        output.children[1].model = {(cv::Mat_<float>(1, 2) << 1.0f, 3.0f)};
        const std::vector<Component> c = apportion(blend.input, output, {4, 9});
        QCOMPARE(c[0].id, 4);
        QCOMPARE(c[1].id, 9);
        QCOMPARE(c[0].share[0].at<float>(0, 0), 6.0f);
        QCOMPARE(c[1].share[0].at<float>(0, 1), 6.0f);
        // Nobody has light in the third pixel: the second child is nearest and grows to hold it.
        QCOMPARE(c[1].box.width, 3);
        QCOMPARE(c[1].share[0].at<float>(0, 2), 8.0f);
        QCOMPARE(c[0].share[0].at<float>(0, 2), 0.0f);
    }

    void everyPeakKeepsItsPixel() {
        test::BlendCase blend;
        const cv::Mat image = test::drawGalaxy({10, 10, 5000.0, 3.0}, {21, 21}, 1.5);
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.5, {});
        BlendOutput output;
        for (const double dx : {0.0, 3.0, 3.2}) {
            BlendOutput::Child child;
            child.peak.x = blend.input.box.x0 + 10 + dx;
            child.peak.y = blend.input.box.y0 + 10;
            child.box = blend.input.box;
            child.model = {image * (dx > 0.0 ? 1e-3 : 1.0)};
            output.children.push_back(child);
        }
        const cv::Mat labels = dominantLabels(blend.input, output);
        QCOMPARE(labels.at<int>(10, 10), 1);
        QCOMPARE(labels.at<int>(10, 13), 2);
        QVERIFY(cv::countNonZero(labels == 3) == 1);
        QCOMPARE(cv::countNonZero(labels), cv::countNonZero(blend.input.inside));
    }

    void masksKeepWhatStandsOutOfTheSky() {
        // A bright child, and a faint one that never reaches one sigma.
        test::BlendCase blend;
        test::makeBlend(blend, {cv::Mat(cv::Mat::zeros(20, 40, CV_32F))}, 1.0, 0.0, 1.5, {});
        blend.input.inside.setTo(255);
        const Box& box = blend.input.box;
        BlendOutput output;
        for (const auto& [x0, height] : {std::pair{10, 50.0f}, std::pair{30, 0.4f}}) {
            BlendOutput::Child child;
            child.peak.x = box.x0 + x0;
            child.peak.y = box.y0 + 10;
            child.box = box;
            cv::Mat model(box.size(), CV_32F);
            for (int y = 0; y < 20; ++y) {
                for (int x = 0; x < 40; ++x) {
                    const float r2 = static_cast<float>((x - x0) * (x - x0) + (y - 10) * (y - 10));
                    model.at<float>(y, x) = height * std::exp(-r2 / 8.0f);
                }
            }
            child.model.push_back(model);
            output.children.push_back(child);
        }
        const cv::Mat all = dominantLabels(blend.input, output);
        cv::Mat labels = all.clone();
        trimLabels(blend.input, output, labels);
        QCOMPARE(labels.at<int>(10, 10), 1);
        QCOMPARE(labels.at<int>(10, 30), 2);
        for (int y = 0; y < 20; ++y) {
            for (int x = 0; x < 40; ++x) {
                const float light =
                    output.children[0].model[0].at<float>(y, x) + output.children[1].model[0].at<float>(y, x);
                if (labels.at<int>(y, x) == 0) {
                    QVERIFY(light < 1.0f);
                } else {
                    QCOMPARE(labels.at<int>(y, x), all.at<int>(y, x));
                    QVERIFY(light >= (labels.at<int>(y, x) == 1 ? 0.999f : 0.199f));
                }
            }
        }
        QVERIFY(cv::countNonZero(labels) < cv::countNonZero(all) / 2);
    }

    void noChildren() {
        test::BlendCase blend;
        test::makeBlend(blend, {cv::Mat(5, 5, CV_32F, cv::Scalar(3.0))}, 1.0, 0.0, 1.5, {});
        QVERIFY(apportion(blend.input, {}, {}).empty());
        QCOMPARE(cv::countNonZero(dominantLabels(blend.input, {})), 0);
    }
};

QTEST_APPLESS_MAIN(TestApportion)
#include "tst_Apportion.moc"
