#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "figure/SceneFigure.h"
#include "io/SceneReader.h"
#include "jobs/TaskPool.h"
#include "method/Pipeline.h"
#include "simulate/Simulator.h"
#include "simulate/StampStream.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QPainter>
#include <QTemporaryDir>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

namespace blendscope::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Six-band stamps of one to four galaxies, as training takes them.
const QByteArray kTrainingStamps =
    R"({"survey": "lsst", "size": [64, 64], "seeing": {"scatter": 0.1},
        "layout": {"kind": "default", "number": [1, 4], "magnitudes": [18, 25.3], "shift": 2.0}})";

/// A figure: how much of what in how long, and whether the result made sense.
struct Entry {
    QString name;
    QString unit; ///< what is counted
    double amount = 0.0;
    double seconds = 0.0;
    bool sane = false;
    QString checked;               ///< what was checked, in words
    double processorSeconds = 0.0; ///< of all threads, the same on a busy machine; 0 = not measured
};

void measure(Entry& entry, const std::function<void()>& work) {
    const Clock::time_point start = Clock::now();
    const double spent = TaskPool::processorSeconds();
    work();
    entry.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    entry.processorSeconds = TaskPool::processorSeconds() - spent;
}

struct Input {
    ScenePtr scene;
    int threads;
    const Registry& registry;
    Console& console;

    [[nodiscard]] ResultPtr run(const char* pipeline) const {
        Progress progress(console.token());
        RunOptions options;
        options.threads = threads;
        return runPipeline(*scene, Pipeline::parse(QLatin1String(pipeline)), registry, progress, options);
    }
    [[nodiscard]] double megaPixels() const {
        return 1e-6 * double(scene->size.width) * scene->size.height * double(scene->bands.size());
    }
};

/// Truths bright enough to be found by anything: a check on the result, no measure of completeness.
bool findsTheBright(const Input& input, const Result& result) {
    int bright = 0, found = 0;
    for (const TruthObject& truth : input.scene->truth->objects) {
        const auto snr = truth.columns.constFind(QStringLiteral("snr_det"));
        if (snr == truth.columns.constEnd() || *snr < 50.0) continue;
        ++bright;
        for (const Object& o : result.objects) {
            if (std::hypot(o.x - truth.x, o.y - truth.y) < 5.0) {
                ++found;
                break;
            }
        }
    }
    return bright > 0 ? found >= 0.7 * bright : !result.objects.empty();
}

Entry benchRead(const Input& input) {
    const QTemporaryDir dir;
    const QString path = dir.filePath(QStringLiteral("bench.fits"));
    Scene bare = *input.scene;
    bare.truth.reset();
    writeScene(bare, path);
    Entry entry{QStringLiteral("read"),
                QStringLiteral("megapixels"),
                input.megaPixels(),
                0.0,
                false,
                QStringLiteral("the pixels are those that were written")};
    bool same = true;
    measure(entry, [&] {
        const ScenePtr scene = openScenes({path}).front();
        for (const Band& band : scene->bands) {
            const int own = input.scene->bandIndex(band.name);
            const cv::Mat pixels = band.image->readAll();
            same = same && own >= 0 &&
                   pixels.at<float>(3, 5) == input.scene->bands[size_t(own)].image->read({5, 3, 1, 1}).at<float>(0, 0);
        }
    });
    entry.sane = same;
    return entry;
}

Entry benchDetect(const Input& input) {
    Entry entry{QStringLiteral("detect"),
                QStringLiteral("megapixels"),
                input.megaPixels(),
                0.0,
                false,
                QStringLiteral("bright objects of the truth are found")};
    const ResultPtr result = input.run("threshold");
    entry.seconds = result->stages.front().seconds;
    entry.sane = findsTheBright(input, *result);
    return entry;
}

Entry benchDeblend(const Input& input) {
    Entry entry{QStringLiteral("deblend"),
                QStringLiteral("objects"),
                0.0,
                0.0,
                false,
                QStringLiteral("every object has a component with light")};
    const ResultPtr result = input.run("threshold+factorize");
    entry.amount = double(result->objects.size());
    entry.seconds = result->stages.size() > 1 ? result->stages[1].seconds : 0.0;
    int lit = 0;
    for (const Component& c : result->components) {
        for (const cv::Mat& model : c.model) {
            if (cv::sum(model)[0] > 0.0) {
                ++lit;
                break;
            }
        }
    }
    entry.sane = !result->objects.empty() && lit >= 0.9 * double(result->objects.size());
    return entry;
}

Entry benchMeasure(const Input& input) {
    Entry entry{QStringLiteral("measure"),
                QStringLiteral("objects"),
                0.0,
                0.0,
                false,
                QStringLiteral("bright objects of the truth have a flux")};
    // The cheapest deblender: what is left is cutting out and measuring.
    const ResultPtr result = input.run("threshold+partition");
    entry.amount = double(result->objects.size());
    entry.seconds = result->stages.size() > 1 ? result->stages[1].seconds : 0.0;
    entry.sane = findsTheBright(input, *result);
    for (const Object& o : result->objects) {
        bool any = false;
        for (const BandFlux& band : o.bands) {
            any = any || std::isfinite(band.flux);
        }
        entry.sane = entry.sane && any;
    }
    return entry;
}

Entry benchRender(const Input& input) {
    Entry entry{QStringLiteral("render"),
                QStringLiteral("megapixels"),
                0.0,
                0.0,
                false,
                QStringLiteral("the picture shows light on a dark sky")};
    QImage picture;
    measure(entry, [&] {
        SceneFigureOptions options;
        options.zoom = 2.0;
        const SceneFigure figure(*input.scene, nullptr, options);
        picture = QImage(figure.size(), QImage::Format_RGB32);
        QPainter painter(&picture);
        figure.paint(painter);
    });
    entry.amount = 1e-6 * double(picture.width()) * picture.height();
    long long dark = 0, light = 0;
    for (int y = 0; y < picture.height(); ++y) {
        const auto* line = reinterpret_cast<const QRgb*>(picture.constScanLine(y));
        for (int x = 0; x < picture.width(); ++x) {
            const int grey = qGray(line[x]);
            dark += grey < 64;
            light += grey > 128;
        }
    }
    entry.sane = light > 0 && dark > light;
    return entry;
}

Entry benchSimulate(const Input& input) {
    Entry entry{QStringLiteral("simulate"),
                QStringLiteral("stamps"),
                0.0,
                0.0,
                false,
                QStringLiteral("light in is light out, and any stamp can be had again")};
    const StampStream stream(QJsonDocument::fromJson(kTrainingStamps).object(), 1);
    constexpr int kStamps = 600;
    std::vector<double> lost(kStamps);
    entry.amount = kStamps;
    measure(entry, [&] {
        TaskPool::shared().parallelFor(
            kStamps,
            [&](int i) {
                const StampStream::Stamp stamp = stream.stamp(i);
                double light = 0.0, drawn = 0.0;
                for (size_t b = 0; b < stamp.noiseless.size(); ++b) {
                    drawn += cv::sum(stamp.noiseless[b])[0];
                    for (const Galaxy& g : stamp.objects) {
                        light += g.totalFlux(b);
                    }
                }
                lost[size_t(i)] = 1.0 - drawn / light;
            },
            input.threads);
    });
    // What a stamp loses lies beyond its edges.
    std::nth_element(lost.begin(), lost.begin() + kStamps / 2, lost.end());
    const StampStream::Stamp a = stream.stamp(7), b = stream.stamp(7);
    entry.sane = std::abs(lost[kStamps / 2]) < 0.05 && cv::norm(a.image.front(), b.image.front(), cv::NORM_INF) == 0.0;
    return entry;
}

struct Bench {
    const char* name;
    Entry (*run)(const Input&);
};
constexpr Bench kBenches[] = {
    {"read", benchRead},       {"detect", benchDetect}, {"deblend", benchDeblend},
    {"measure", benchMeasure}, {"render", benchRender}, {"simulate", benchSimulate},
};

QJsonObject entryJson(const Entry& e) {
    return {{QStringLiteral("name"), e.name},
            {QStringLiteral("unit"), e.unit},
            {QStringLiteral("amount"), e.amount},
            {QStringLiteral("seconds"), e.seconds},
            {QStringLiteral("per_second"), e.seconds > 0.0 ? QJsonValue(e.amount / e.seconds) : QJsonValue()},
            {QStringLiteral("per_processor_second"),
             e.processorSeconds > 0.0 ? QJsonValue(e.amount / e.processorSeconds) : QJsonValue()},
            {QStringLiteral("sane"), e.sane},
            {QStringLiteral("checked"), e.checked}};
}

} // namespace

int runBench(const QStringList& words, Console& console) {
    QStringList names;
    for (const Bench& bench : kBenches) {
        names << QLatin1String(bench.name);
    }
    Arguments arguments(
        QStringLiteral("bench"), QStringLiteral("[NAME...]"),
        QStringLiteral(
            "Measures how fast this machine is on a simulated scene (the demo recipe).\nNAME: %1; all without one.")
            .arg(names.join(QStringLiteral(", "))),
        {{QStringLiteral("threads"), QStringLiteral("N"),
          QStringLiteral("at most N threads (default 1: figures are per core)")}});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    for (const QString& name : arguments.words()) {
        if (!names.contains(name)) {
            throw UsageError(
                QStringLiteral("no bench \"%1\"; there are %2").arg(name, names.join(QStringLiteral(", "))));
        }
    }
    const Registry registry;
    Progress progress(console.token());
    const int threads = arguments.integer(QStringLiteral("threads"), 1, 1, 1024);
    const Input input{simulateScene(loadRecipe(QStringLiteral("demo")), 1, 0, &progress), threads, registry, console};

    QJsonArray entries;
    bool sane = true;
    for (const Bench& bench : kBenches) {
        if (!arguments.words().isEmpty() && !arguments.words().contains(QLatin1String(bench.name))) continue;
        const Entry entry = bench.run(input);
        sane = sane && entry.sane;
        entries.append(entryJson(entry));
        if (!arguments.has(QStringLiteral("json"))) {
            console.print(QStringLiteral("%1  %2 %3 in %4 s: %5/s%6  %7")
                              .arg(entry.name.leftJustified(8))
                              .arg(entry.amount, 0, 'g', 4)
                              .arg(entry.unit)
                              .arg(entry.seconds, 0, 'f', 3)
                              .arg(entry.seconds > 0.0 ? entry.amount / entry.seconds : 0.0, 0, 'g', 4)
                              .arg(entry.processorSeconds > 0.0
                                       ? QStringLiteral(", %1 a second of processor time")
                                             .arg(entry.amount / entry.processorSeconds, 0, 'g', 4)
                                       : QString())
                              .arg(entry.sane ? QString() : QStringLiteral("WRONG: not true that ") + entry.checked));
        }
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("threads"), threads},
                           {QStringLiteral("scene"), QStringLiteral("%1x%2x%3")
                                                         .arg(input.scene->size.width)
                                                         .arg(input.scene->size.height)
                                                         .arg(input.scene->bands.size())},
                           {QStringLiteral("entries"), entries}});
    }
    if (!sane) throw Error(QStringLiteral("a bench gave a wrong result"));
    return 0;
}

} // namespace blendscope::cli
