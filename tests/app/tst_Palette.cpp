#include "figure/Palette.h"

#include "core/Random.h"

#include <QTest>
#include <limits>

using namespace blendscope;

class TestPalette : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void neighboursDiffer() {
        // A Voronoi map: every cell touches about six others.
        Random random(4);
        const int n = 120, size = 200;
        std::vector<cv::Point2d> seeds;
        for (int i = 0; i < n; ++i) {
            seeds.emplace_back(random.uniform(0, size), random.uniform(0, size));
        }
        cv::Mat map(size, size, CV_32S);
        for (int y = 0; y < size; ++y) {
            for (int x = 0; x < size; ++x) {
                double best = 1e9;
                for (int i = 0; i < n; ++i) {
                    const double d = std::hypot(x - seeds[size_t(i)].x, y - seeds[size_t(i)].y);
                    if (d < best) {
                        best = d;
                        map.at<int>(y, x) = i + 1;
                    }
                }
            }
        }
        const std::vector<int> colours = colourObjects(map);
        int clashes = 0;
        for (int y = 0; y < size; ++y) {
            for (int x = 1; x < size; ++x) {
                const int a = map.at<int>(y, x - 1), b = map.at<int>(y, x);
                clashes += a != b && colours[size_t(a)] == colours[size_t(b)];
            }
        }
        QCOMPARE(clashes, 0);
        QCOMPARE(colourObjects(map), colours);
    }

    void coloursStayWhenObjectsAreAdded() {
        cv::Mat map = cv::Mat::zeros(40, 40, CV_32S);
        map(cv::Rect(2, 2, 8, 8)).setTo(1);
        map(cv::Rect(11, 2, 8, 8)).setTo(2);
        const std::vector<int> before = colourObjects(map);
        map(cv::Rect(2, 11, 20, 8)).setTo(3);
        const std::vector<int> after = colourObjects(map);
        QCOMPARE(after[1], before[1]);
        QCOMPARE(after[2], before[2]);
        QVERIFY(after[3] != after[1] && after[3] != after[2] && after[1] != after[2]);
    }

    void emptyAndSparse() {
        QCOMPARE(colourObjects(cv::Mat()), std::vector<int>{-1});
        QCOMPARE(colourObjects(cv::Mat::zeros(3, 3, CV_32S)), std::vector<int>{-1});
        cv::Mat map = cv::Mat::zeros(3, 3, CV_32S);
        map.at<int>(1, 1) = 5;
        const std::vector<int> colours = colourObjects(map);
        QCOMPARE(colours.size(), size_t(6));
        QCOMPARE(colours[4], -1);
        QVERIFY(colours[5] >= 0);
    }

    void divergingEnds() {
        QVERIFY(qBlue(divergingColour(-1.0f)) > qRed(divergingColour(-1.0f)));
        QVERIFY(qRed(divergingColour(1.0f)) > qBlue(divergingColour(1.0f)));
        QCOMPARE(divergingColour(7.0f), divergingColour(1.0f));
        QCOMPARE(divergingColour(std::numeric_limits<float>::quiet_NaN()), look::noData().rgb());
    }
};

QTEST_APPLESS_MAIN(TestPalette)
#include "tst_Palette.moc"
