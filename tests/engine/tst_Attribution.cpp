#include "core/Random.h"
#include "judge/Attribution.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

using namespace blendscope;

namespace {

constexpr int kSide = 80;

/// A round object of sigma 2 pixels with this much light on its brightest pixel, S/N per pixel.
AttributionTruth object(int id, double x, double y, double peak, int detectionsAlone) {
    AttributionTruth t;
    t.id = id;
    t.x = x;
    t.y = y;
    t.detectionsAlone = detectionsAlone;
    t.significanceAlone = 10.0;
    t.snr = 3.5 * peak;
    const int cx = static_cast<int>(std::lround(x)), cy = static_cast<int>(std::lround(y));
    t.box = Box{cx - 10, cy - 10, 21, 21}.intersected({0, 0, kSide, kSide});
    t.light = cv::Mat::zeros(t.box.size(), CV_32F);
    for (int j = 0; j < t.box.height; ++j) {
        for (int i = 0; i < t.box.width; ++i) {
            const double r2 = std::pow(t.box.x0 + i - x, 2) + std::pow(t.box.y0 + j - y, 2);
            t.light.at<float>(j, i) = static_cast<float>(peak * std::exp(-r2 / 8.0));
        }
    }
    return t;
}

AttributionInput pairOf(std::vector<AttributionTruth> truths, std::vector<AttributionDetection> detections) {
    AttributionInput input;
    input.size = {kSide, kSide};
    input.truths = std::move(truths);
    input.detections = std::move(detections);
    // Every pixel with light belongs to the nearest detection, as a deblender would have it.
    input.labels = cv::Mat::zeros(input.size, CV_32S);
    for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
            double best = 15.0;
            for (const AttributionDetection& d : input.detections) {
                if (std::hypot(d.x - x, d.y - y) >= best) continue;
                best = std::hypot(d.x - x, d.y - y);
                input.labels.at<int>(y, x) = d.id;
            }
        }
    }
    return input;
}

const BlendVerdict* onlyBlend(const Judgement& j) {
    const BlendVerdict* found = nullptr;
    for (const BlendVerdict& b : j.blends) {
        if (!b.known || b.nSep + b.nUnsep < 1 || (b.nSep + b.nUnsep == 1 && b.nBlend < 2)) continue;
        if (found) return nullptr;
        found = &b;
    }
    return found;
}

/// Every object and every detection in exactly one blend, and the counts those of the verdicts.
QString accountFault(const AttributionInput& input, const Judgement& j) {
    if (j.objects.size() != input.truths.size()) return QStringLiteral("objects are missing");
    if (j.detections.size() != input.detections.size()) return QStringLiteral("detections are missing");
    std::multiset<int> members, detections;
    for (const BlendVerdict& b : j.blends) {
        int sep = 0, unsep = 0;
        for (const int id : b.members) {
            members.insert(id);
            const TruthVerdict* t = j.object(id);
            if (!t || t->blend != b.id) return QStringLiteral("object %1 says another blend").arg(id);
            sep += t->detectedAlone;
            unsep += !t->detectedAlone && t->snr >= input.leastSnr;
        }
        for (const int id : b.detections) {
            detections.insert(id);
            const DetectionVerdict* d = j.detection(id);
            if (!d || d->blend != b.id) return QStringLiteral("detection %1 says another blend").arg(id);
        }
        if (sep != b.nSep || unsep != b.nUnsep || static_cast<int>(b.detections.size()) != b.nBlend) {
            return QStringLiteral("blend %1 counts wrongly").arg(b.id);
        }
        if (b.words.isEmpty()) return QStringLiteral("blend %1 has no words").arg(b.id);
    }
    std::set<int> owned;
    for (const TruthVerdict& t : j.objects) {
        const size_t wanted = t.outcome == Outcome::Outside ? 0 : 1;
        if (members.count(t.id) != wanted)
            return QStringLiteral("object %1 is in %2 blends").arg(t.id).arg(members.count(t.id));
        if (t.words.isEmpty()) return QStringLiteral("object %1 has no words").arg(t.id);
        if (t.own > 0 && !owned.insert(t.own).second) return QStringLiteral("detection %1 has two owners").arg(t.own);
        if (t.own > 0 && j.detection(t.own)->owner != t.id) return QStringLiteral("owners disagree");
        const bool alone = t.outcome == Outcome::Recognized || t.outcome == Outcome::Unrecognized ||
                           t.outcome == Outcome::Shredded || t.outcome == Outcome::Lost;
        if (alone != t.detectedAlone) return QStringLiteral("object %1: verdict against the isolated run").arg(t.id);
    }
    for (const DetectionVerdict& d : j.detections) {
        if (detections.count(d.id) != 1)
            return QStringLiteral("detection %1 is in %2 blends").arg(d.id).arg(detections.count(d.id));
        // A detection either holds objects, or is a piece of one, or has none.
        if (d.pieceOf != 0 && d.owner != 0) return QStringLiteral("detection %1 is a piece and its own").arg(d.id);
        const TruthVerdict* t = d.pieceOf ? j.object(d.pieceOf) : nullptr;
        if (t && std::find(t->detections.begin(), t->detections.end(), d.id) == t->detections.end()) {
            return QStringLiteral("detection %1 is a piece of an object that does not know").arg(d.id);
        }
        if (d.words.isEmpty()) return QStringLiteral("detection %1 has no words").arg(d.id);
    }
    return {};
}

} // namespace

Q_DECLARE_METATYPE(blendscope::Outcome)

/// From counts and positions to verdicts.
class TestAttribution : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pairsOfTheDefinition_data() {
        QTest::addColumn<int>("sep");
        QTest::addColumn<int>("unsep");
        QTest::addColumn<int>("detections");
        QTest::addColumn<Outcome>("outcome");
        QTest::newRow("shredded") << 2 << 0 << 3 << Outcome::Shredded;
        QTest::newRow("recognized") << 2 << 0 << 2 << Outcome::Recognized;
        QTest::newRow("unrecognized") << 2 << 0 << 1 << Outcome::Unrecognized;
        QTest::newRow("undetected") << 1 << 1 << 1 << Outcome::Undetected;
        QTest::newRow("merged") << 0 << 2 << 1 << Outcome::Merged;
        // Beyond the five.
        QTest::newRow("both lost") << 2 << 0 << 0 << Outcome::Lost;
        QTest::newRow("one lost") << 1 << 1 << 0 << Outcome::Lost;
        QTest::newRow("boosted") << 1 << 1 << 2 << Outcome::Boosted;
        QTest::newRow("invisible") << 0 << 2 << 0 << Outcome::Invisible;
        QTest::newRow("both boosted") << 0 << 2 << 2 << Outcome::Boosted;
        QTest::newRow("undetected, shredded") << 1 << 1 << 3 << Outcome::Shredded;
    }
    void pairsOfTheDefinition() {
        QFETCH(int, sep);
        QFETCH(int, unsep);
        QFETCH(int, detections);
        QFETCH(Outcome, outcome);
        const double a = 36.0, b = 43.0;
        std::vector<AttributionTruth> truths;
        for (int i = 0; i < sep + unsep; ++i) {
            const bool strong = i < sep;
            truths.push_back(object(i + 1, i == 0 ? a : b, 40.0, strong ? 4.0 : 1.2, strong ? 1 : 0));
        }
        std::vector<AttributionDetection> found;
        if (detections == 1) {
            // Two alike are seen in the middle, else the brighter one is.
            found.push_back({11, sep == 1 ? a + 0.2 : 0.5 * (a + b), 40.3, 5});
        } else if (detections >= 2) {
            found = {{11, a + 0.2, 40.3, 5}, {12, b - 0.3, 39.8, 5}};
        }
        if (detections == 3) found.push_back({13, 37.5, 45.0, 5});
        // Any order of objects and detections says the same.
        std::vector<std::pair<std::vector<size_t>, std::vector<size_t>>> orders;
        std::vector<size_t> ofTruths(truths.size()), ofDetections(found.size());
        std::iota(ofTruths.begin(), ofTruths.end(), size_t(0));
        do {
            std::iota(ofDetections.begin(), ofDetections.end(), size_t(0));
            do {
                orders.emplace_back(ofTruths, ofDetections);
            } while (std::next_permutation(ofDetections.begin(), ofDetections.end()));
        } while (std::next_permutation(ofTruths.begin(), ofTruths.end()));
        for (const auto& [first, second] : orders) {
            std::vector<AttributionTruth> t;
            std::vector<AttributionDetection> d;
            for (const size_t i : first) {
                t.push_back(truths[i]);
            }
            for (const size_t i : second) {
                d.push_back(found[i]);
            }
            const AttributionInput input = pairOf(t, d);
            const Judgement j = attribute(input);
            QCOMPARE(accountFault(input, j), QString());
            const BlendVerdict* blend = onlyBlend(j);
            QVERIFY(blend);
            QCOMPARE(blend->nSep, sep);
            QCOMPARE(blend->nUnsep, unsep);
            QCOMPARE(blend->nBlend, detections);
            // Rates leave out what nobody could have seen.
            QCOMPARE(blend->isBlend(), outcome != Outcome::Invisible);
            QVERIFY2(blend->outcome == outcome,
                     qPrintable(outcomeWord(blend->outcome) + QLatin1Char(' ') + blend->words));
        }
    }

    void wordsNameTheEvidence() {
        const Judgement j =
            attribute(pairOf({object(1, 36, 40, 9.0, 1), object(2, 42, 40, 4.0, 1)}, {{17, 36.5, 40, 3}}));
        QVERIFY(j.objects[0].outcome == Outcome::Unrecognized && j.objects[1].outcome == Outcome::Unrecognized);
        QCOMPARE(j.objects[0].own, 17);
        QCOMPARE(j.objects[1].own, 0);
        QCOMPARE(j.objects[1].host, 17);
        QCOMPARE(j.objects[1].words,
                 QStringLiteral(
                     "B (object 2) would be detected alone (10.0 sigma), but shares detection 17 with A (object 1)."));
        QVERIFY(j.detections[0].outcome == Outcome::Unrecognized);
    }

    // A shred and a miss in one blend: counts alone would say that all is well.
    void positionsTellMoreThanCounts() {
        const AttributionInput input =
            pairOf({object(1, 30, 40, 8.0, 1), object(2, 36, 40, 4.0, 1), object(3, 46, 40, 6.0, 1)},
                   {{1, 30.4, 40, 1}, {2, 46, 43.5, 1}, {3, 46.2, 39.0, 1}});
        const Judgement j = attribute(input);
        QCOMPARE(accountFault(input, j), QString());
        const BlendVerdict* blend = onlyBlend(j);
        QVERIFY(blend);
        QCOMPARE(blend->nSep, 3);
        QCOMPARE(blend->nBlend, 3);
        QVERIFY(blend->outcome == Outcome::Unrecognized);
        QVERIFY(std::find(blend->also.begin(), blend->also.end(), Outcome::Shredded) != blend->also.end());
        QVERIFY(j.objects[0].outcome == Outcome::Unrecognized);
        QVERIFY(j.objects[1].outcome == Outcome::Unrecognized);
        QVERIFY(j.objects[2].outcome == Outcome::Shredded);
        QCOMPARE(j.objects[2].own, 3);
        QCOMPARE(j.detection(2)->pieceOf, 3);
    }

    void farDetectionsAreSpuriousOrUnknown() {
        AttributionInput input = pairOf({object(1, 20, 20, 6.0, 1)}, {{1, 20, 20, 1}, {2, 70, 70, 2}});
        Judgement j = attribute(input);
        QCOMPARE(accountFault(input, j), QString());
        QVERIFY(j.detections[1].outcome == Outcome::Spurious);
        QVERIFY(j.blends.front().outcome == Outcome::Single);
        QVERIFY(!onlyBlend(j));
        input.complete = false;
        j = attribute(input);
        QVERIFY(j.detections[1].outcome == Outcome::Unknown);
        QVERIFY(j.objects[0].outcome == Outcome::Recognized);
    }

    // A real neighbour that was there before the injection: it counts in the blend, but is not judged itself.
    void neighboursOfInjections() {
        AttributionTruth real = object(-1, 43, 40, 6.0, 1);
        real.known = false;
        AttributionInput input = pairOf({object(1, 37, 40, 3.0, 1), real}, {{1, 42, 40, 1}});
        input.complete = false;
        const Judgement j = attribute(input);
        QCOMPARE(accountFault(input, j), QString());
        QVERIFY(j.objects[0].outcome == Outcome::Unrecognized);
        QVERIFY(j.objects[0].words.contains(QStringLiteral("seen without")));
        OutcomeRates rates;
        rates.add(j);
        QCOMPARE(rates.objectsJudged(), 1);
        QCOMPARE(rates.blends.value(Outcome::Unrecognized), 1);
    }

    void garbageIn() {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        AttributionInput input =
            pairOf({object(1, 20, 20, 5.0, 1), object(2, 60, 60, 5.0, 1), object(3, 40, 40, 0.01, 0)},
                   {{1, 20, 20, 1}, {2, nan, 5, 2}, {3, 1e12, -1e12, 3}});
        input.truths[1].x = nan;
        Judgement j = attribute(input);
        QCOMPARE(accountFault(input, j), QString());
        QVERIFY(j.objects[1].outcome == Outcome::Outside);
        QVERIFY(j.objects[2].outcome == Outcome::Invisible);
        input.labels = cv::Mat();
        QCOMPARE(accountFault(input, attribute(input)), QString());
        input.detections.clear();
        j = attribute(input);
        QCOMPARE(accountFault(input, j), QString());
        QVERIFY(j.objects[0].outcome == Outcome::Lost);
        input.truths.clear();
        j = attribute(input);
        QVERIFY(j.objects.empty() && j.blends.empty());
        (void)attribute(AttributionInput{});
    }

    void randomBlendsAreAccountedFor() {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            Random random(seed);
            std::vector<AttributionTruth> truths;
            std::vector<AttributionDetection> detections;
            const int n = random.integer(0, 9), m = random.integer(0, 9);
            for (int i = 0; i < n; ++i) {
                const double peak = std::exp(random.uniform(-4.0, 3.0));
                truths.push_back(object(i + 1, random.uniform(-3.0, kSide + 3.0), random.uniform(-3.0, kSide + 3.0),
                                        peak, peak > 1.5 ? random.integer(1, 2) : 0));
                truths.back().usable =
                    truths.back().x >= 0 && truths.back().x < kSide && truths.back().y >= 0 && truths.back().y < kSide;
            }
            for (int i = 0; i < m; ++i) {
                const bool near = n > 0 && random.uniform() < 0.7;
                const AttributionTruth* t = near ? &truths[static_cast<size_t>(random.integer(0, n - 1))] : nullptr;
                detections.push_back(
                    {i + 1,
                     std::clamp(near ? t->x + 2.0 * random.normal() : random.uniform(0, kSide), 0.0, kSide - 1.0),
                     std::clamp(near ? t->y + 2.0 * random.normal() : random.uniform(0, kSide), 0.0, kSide - 1.0),
                     random.integer(0, 4)});
            }
            AttributionInput input = pairOf(truths, detections);
            if (seed % 5 == 0) input.labels = cv::Mat();
            const Judgement j = attribute(input);
            const QString fault = accountFault(input, j);
            QVERIFY2(fault.isEmpty(), qPrintable(QStringLiteral("seed %1: %2").arg(seed).arg(fault)));

            // The order in which they come changes nothing.
            AttributionInput other = input;
            const auto shuffle = [&](auto& list) {
                for (size_t i = list.size(); i > 1; --i) {
                    std::swap(list[i - 1], list[static_cast<size_t>(random.integer(0, static_cast<int>(i) - 1))]);
                }
            };
            shuffle(other.truths);
            shuffle(other.detections);
            const Judgement k = attribute(other);
            for (const TruthVerdict& t : j.objects) {
                QVERIFY2(k.object(t.id)->outcome == t.outcome && k.object(t.id)->host == t.host,
                         qPrintable(QStringLiteral("seed %1, object %2").arg(seed).arg(t.id)));
            }
            for (const DetectionVerdict& d : j.detections) {
                QVERIFY(k.detection(d.id)->outcome == d.outcome);
            }
            std::multiset<int> a, b;
            for (const BlendVerdict& x : j.blends) {
                a.insert(static_cast<int>(x.outcome));
            }
            for (const BlendVerdict& x : k.blends) {
                b.insert(static_cast<int>(x.outcome));
            }
            QVERIFY(a == b);

            // As JSON and back.
            const Judgement back = judgementFromJson(toJson(j));
            QCOMPARE(toJson(back), toJson(j));
        }
    }
};

QTEST_APPLESS_MAIN(TestAttribution)
#include "tst_Attribution.moc"
