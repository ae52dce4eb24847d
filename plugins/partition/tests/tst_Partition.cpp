#include "deblend/Apportion.h"
#include "method/BlendMethod.h"
#include "method/Registry.h"
#include "support/BlendSupport.h"

#include <QTest>
#include <memory>

using namespace blendscope;

class TestPartition : public QObject {
    Q_OBJECT

    BlendOutput run(const BlendInput& input) {
        const Registry registry;
        const std::unique_ptr<Method> method = registry.create(QStringLiteral("partition"));
        auto* blend = dynamic_cast<BlendMethod*>(method.get());
        if (!blend) qFatal("partition is no BlendMethod");
        Progress progress;
        MethodContext context;
        context.progress = &progress;
        return blend->deblend(input, Parameters(registry.find(QStringLiteral("partition"))->parameters), context);
    }

    static Peak peak(const BlendInput& input, double x, double y) {
        return {input.box.x0 + x, input.box.y0 + y, 10.0f, -1};
    }

private Q_SLOTS:
    void pairIsCutBetweenThePeaks() {
        const cv::Size size(60, 40);
        const cv::Mat image = test::drawGalaxy({22.0, 20.0, 4000.0, 2.5}, size, 1.6) +
                              test::drawGalaxy({36.0, 20.0, 4000.0, 2.5}, size, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {image, image}, 1.0, 0.0, 1.6, {});
        blend.input.peaks = {peak(blend.input, 22, 20), peak(blend.input, 36, 20)};
        const BlendOutput output = run(blend.input);
        QCOMPARE(output.children.size(), size_t(2));
        QCOMPARE(cv::countNonZero(output.labels), cv::countNonZero(blend.input.inside));
        int wrong = 0;
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) {
                const int label = output.labels.at<int>(y, x);
                wrong += label && x != 29 && label != (x < 29 ? 1 : 2);
            }
        }
        QVERIFY2(wrong <= 2, qPrintable(QString::number(wrong)));

        // The share of an object is the data in its pixels, also where they are negative.
        blend.input.data[0].at<float>(20, 20) = -2.0f;
        const std::vector<Component> components = apportion(blend.input, output, {1, 2});
        const Component& c = components[0];
        QCOMPARE(c.share[0].at<float>(20 + blend.input.box.y0 - c.box.y0, 20 + blend.input.box.x0 - c.box.x0), -2.0f);
    }

    void widerObjectTakesTheWings() {
        const cv::Size size(81, 61);
        const cv::Mat image = test::drawGalaxy({40.0, 30.0, 30000.0, 7.0}, size, 1.6) +
                              test::drawGalaxy({50.0, 30.0, 1500.0, 0.0, 1.0, 0.0, 0.0}, size, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.6, {});
        blend.input.peaks = {peak(blend.input, 40, 30), peak(blend.input, 50, 30)};
        const BlendOutput output = run(blend.input);
        QCOMPARE(output.labels.at<int>(30, 50), 2);
        QCOMPARE(output.labels.at<int>(30, 62), 1); // behind the small one, on the far wing of the large one
        QVERIFY(cv::countNonZero(output.labels == 2) < 150);
    }

    void oddPeaks() {
        const cv::Size size(41, 41);
        const cv::Mat image = test::drawGalaxy({20.0, 20.0, 3000.0, 2.5}, size, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.6, {});
        // Two in one pixel, one outside the footprint, one outside the box, one that is not a number.
        blend.input.peaks = {peak(blend.input, 20, 20), peak(blend.input, 20.2, 20), peak(blend.input, 1, 1),
                             peak(blend.input, -50, 500), peak(blend.input, std::nan(""), 3)};
        const BlendOutput output = run(blend.input);
        QCOMPARE(output.children.size(), size_t(5));
        QCOMPARE(cv::countNonZero(output.labels), cv::countNonZero(blend.input.inside));
        for (const BlendOutput::Child& child : output.children) {
            QVERIFY(!child.box.empty());
            QCOMPARE(child.box, child.box.intersected(blend.input.box));
            for (const cv::Mat& m : child.model) {
                QCOMPARE(m.size(), child.box.size());
                QVERIFY(cv::checkRange(m));
            }
        }
        QVERIFY(output.children[3].flags & FlagNoFlux);
    }

    void noPeaks() {
        test::BlendCase blend;
        test::makeBlend(blend, {cv::Mat(5, 5, CV_32F, cv::Scalar(4.0))}, 1.0, 0.0, 1.6, {});
        QVERIFY(run(blend.input).children.empty());
    }
};

QTEST_GUILESS_MAIN(TestPartition)
#include "tst_Partition.moc"
