// Measures the counts of a pipeline that ends in a counting method against scenes with truth, beside two baselines: the
// frequencies of the counts, and the first method's own number of objects turned into probabilities by its confusion
// matrix. `count_calibration --help`.

#include "figure/PlotFigure.h"
#include "io/SceneReader.h"
#include "jobs/Progress.h"
#include "judge/Reliability.h"
#include "method/Pipeline.h"
#include "simulate/Simulator.h"

#include <QCommandLineParser>
#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <cmath>
#include <cstdio>

using namespace blendscope;

namespace {

constexpr int kBins = 15;
constexpr int kFolds = 4;       ///< of the scenes; a baseline is fitted on the others
constexpr double kSmooth = 0.5; ///< added to every cell of a confusion matrix

/// One footprint.
struct Case {
    int scene = 0;
    int truth = 0; ///< objects that would be detected alone
    int found = 0; ///< objects of the pipeline
    std::vector<float> p;
};

/// Matched-filter S/N of a true object alone over the scene's bands, from its table; NaN where the table lacks it.
double snrOf(const TruthObject& object, const Scene& scene) {
    double sum = 0.0;
    bool any = false;
    for (const Band& band : scene.bands) {
        const auto it = object.columns.constFind(QStringLiteral("snr_") + band.name);
        if (it == object.columns.constEnd() || !std::isfinite(it.value())) continue;
        sum += it.value() * it.value();
        any = true;
    }
    return any ? std::sqrt(sum) : std::nan("");
}

void collect(const Scene& scene, int number, const Result& result, double leastSnr, std::vector<Case>& cases) {
    for (const Blend& blend : result.blends) {
        if (blend.countProbabilities.empty()) continue;
        const Footprint* footprint = result.footprint(blend.id);
        if (!footprint) continue;
        Case c{number, 0, int(blend.objects.size()), blend.countProbabilities};
        for (const TruthObject& o : scene.truth->objects) {
            if (snrOf(o, scene) >= leastSnr && footprint->contains(int(std::lround(o.x)), int(std::lround(o.y))))
                ++c.truth;
        }
        c.truth = std::min(c.truth, int(c.p.size()) - 1);
        c.found = std::min(c.found, int(c.p.size()) - 1);
        cases.push_back(std::move(c));
    }
}

std::vector<double> logScores(const std::vector<Case>& cases, const std::vector<std::vector<float>>& p) {
    std::vector<double> out;
    for (size_t i = 0; i < cases.size(); ++i) {
        out.push_back(-std::log(std::max(1e-6, double(p[i][size_t(cases[i].truth)]))));
    }
    return out;
}

/// Probabilities from what was found, or from nothing (`alone`), fitted on the scenes of the other folds.
std::vector<std::vector<float>> baseline(const std::vector<Case>& cases, size_t classes, bool alone) {
    std::vector<std::vector<float>> out(cases.size());
    for (int fold = 0; fold < kFolds; ++fold) {
        std::vector<std::vector<double>> matrix(classes, std::vector<double>(classes, kSmooth));
        for (const Case& c : cases) {
            if (c.scene % kFolds != fold) matrix[alone ? 0 : size_t(c.found)][size_t(c.truth)] += 1.0;
        }
        for (size_t i = 0; i < cases.size(); ++i) {
            if (cases[i].scene % kFolds != fold) continue;
            const std::vector<double>& row = matrix[alone ? 0 : size_t(cases[i].found)];
            double sum = 0.0;
            for (const double v : row) {
                sum += v;
            }
            for (const double v : row) {
                out[i].push_back(float(v / sum));
            }
        }
    }
    return out;
}

Reliability topLabel(const std::vector<Case>& cases, const std::vector<std::vector<float>>& p) {
    std::vector<Forecast> forecasts;
    for (size_t i = 0; i < cases.size(); ++i) {
        const auto best = std::max_element(p[i].begin(), p[i].end());
        forecasts.push_back({double(*best), best - p[i].begin() == cases[i].truth, cases[i].scene});
    }
    return reliabilityOf(forecasts, kBins);
}

Reliability several(const std::vector<Case>& cases, const std::vector<std::vector<float>>& p) {
    std::vector<Forecast> forecasts;
    for (size_t i = 0; i < cases.size(); ++i) {
        double more = 0.0;
        for (size_t k = 2; k < p[i].size(); ++k) {
            more += double(p[i][k]);
        }
        forecasts.push_back({more, cases[i].truth > 1, cases[i].scene});
    }
    return reliabilityOf(forecasts, kBins);
}

double mean(const std::vector<double>& v) {
    double sum = 0.0;
    for (const double x : v) {
        sum += x;
    }
    return v.empty() ? std::nan("") : sum / double(v.size());
}

/// Mean of a - b and its standard error.
QJsonObject difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> d(a.size());
    for (size_t i = 0; i < a.size(); ++i) {
        d[i] = a[i] - b[i];
    }
    const double m = mean(d);
    double square = 0.0;
    for (const double x : d) {
        square += (x - m) * (x - m);
    }
    return {{QStringLiteral("mean"), m},
            {QStringLiteral("error"), std::sqrt(square / double(d.size()) / std::max(1.0, double(d.size()) - 1.0))}};
}

QJsonObject summary(const std::vector<Case>& cases, const std::vector<std::vector<float>>& p) {
    int right = 0;
    for (size_t i = 0; i < cases.size(); ++i) {
        right += std::max_element(p[i].begin(), p[i].end()) - p[i].begin() == cases[i].truth;
    }
    return {{QStringLiteral("log_score"), mean(logScores(cases, p))},
            {QStringLiteral("accuracy"), double(right) / double(cases.size())},
            {QStringLiteral("calibration_error"), topLabel(cases, p).calibrationError},
            {QStringLiteral("calibration_error_several"), several(cases, p).calibrationError},
            {QStringLiteral("brier_several"), several(cases, p).brier}};
}

void write(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written").arg(path));
    }
}

void draw(const std::vector<Case>& cases, const std::vector<std::vector<float>>& p, const QString& path) {
    PlotData plot;
    plot.title = QStringLiteral("Reliability of counts");
    plot.xLabel = QStringLiteral("stated probability");
    plot.yLabel = QStringLiteral("share that came true");
    plot.diagonal = true;
    plot.yLow = 0.0;
    plot.yHigh = 1.0;
    const std::pair<QString, Reliability> lines[] = {{QStringLiteral("likeliest count"), topLabel(cases, p)},
                                                     {QStringLiteral("more than one"), several(cases, p)}};
    for (const auto& [name, reliability] : lines) {
        PlotSeries series{name, int(plot.series.size()), {}};
        for (const ReliabilityBin& bin : reliability.bins) {
            if (bin.count < 5) continue;
            series.points.push_back({bin.meanProbability, bin.low, bin.high, bin.frequency, bin.error, bin.count, {}});
        }
        plot.series.push_back(std::move(series));
    }
    write(path, plotSvg(plot, {460, 380}));
}

int run(const QStringList& arguments) {
    QCommandLineParser flags;
    flags.addHelpOption();
    flags.addOptions(
        {{QStringLiteral("scenes"), QStringLiteral("folder of scenes with truth"), QStringLiteral("dir")},
         {QStringLiteral("recipe"), QStringLiteral("simulate by this recipe, or by the mixture of a training recipe"),
          QStringLiteral("json")},
         {QStringLiteral("survey"), QStringLiteral("instead of the recipe's"), QStringLiteral("id")},
         {QStringLiteral("seeing"), QStringLiteral("factor instead of the recipe's"), QStringLiteral("x")},
         {QStringLiteral("count"), QStringLiteral("scenes to simulate"), QStringLiteral("n"), QStringLiteral("500")},
         {QStringLiteral("seed"), QStringLiteral("of the simulation"), QStringLiteral("n"), QStringLiteral("990001")},
         {QStringLiteral("bands"), QStringLiteral("only these bands, as g,r,i"), QStringLiteral("names")},
         {QStringLiteral("pipeline"), QStringLiteral("as blend run takes it"), QStringLiteral("p"),
          QStringLiteral("threshold+count_mcdropout")},
         {QStringLiteral("set"), QStringLiteral("method.key=value"), QStringLiteral("assignment")},
         {QStringLiteral("least-snr"), QStringLiteral("of objects that count"), QStringLiteral("x"),
          QStringLiteral("5")},
         {QStringLiteral("threads"), QStringLiteral("0 = all"), QStringLiteral("n"), QStringLiteral("0")},
         {QStringLiteral("plot"), QStringLiteral("reliability diagram"), QStringLiteral("svg")}});
    flags.process(arguments);
    Pipeline pipeline = Pipeline::parse(flags.value(QStringLiteral("pipeline")));
    for (const QString& assignment : flags.values(QStringLiteral("set"))) {
        pipeline.set(assignment);
    }
    const QStringList bands = flags.value(QStringLiteral("bands")).split(QLatin1Char(','), Qt::SkipEmptyParts);
    const double leastSnr = flags.value(QStringLiteral("least-snr")).toDouble();
    const Registry registry;
    RunOptions options;
    options.threads = flags.value(QStringLiteral("threads")).toInt();
    std::vector<Case> cases;
    int number = 0;
    double seconds = 0.0;
    const auto take = [&](const Scene& whole) {
        if (!whole.truth) return;
        Scene scene = whole;
        if (!bands.isEmpty()) std::erase_if(scene.bands, [&](const Band& b) { return !bands.contains(b.name); });
        if (scene.bands.empty()) return;
        Progress progress;
        const ResultPtr result = runPipeline(scene, pipeline, registry, progress, options);
        seconds += result->stages.back().seconds;
        collect(scene, number++, *result, leastSnr, cases);
    };
    if (flags.isSet(QStringLiteral("scenes"))) {
        for (const SceneFiles& files : groupSceneFiles({flags.value(QStringLiteral("scenes"))})) {
            for (const ScenePtr& scene : openScene(files)) {
                take(*scene);
            }
        }
    } else {
        QJsonObject json = loadRecipe(flags.value(QStringLiteral("recipe")));
        QJsonArray mixture = json.value(QStringLiteral("data")).toObject().value(QStringLiteral("mixture")).toArray();
        if (mixture.isEmpty())
            mixture = {QJsonObject{{QStringLiteral("share"), 1.0}, {QStringLiteral("recipe"), json}}};
        double total = 0.0;
        for (const QJsonValue part : mixture) {
            total += part.toObject().value(QStringLiteral("share")).toDouble(1.0);
        }
        const int count = flags.value(QStringLiteral("count")).toInt();
        for (const QJsonValue part : mixture) {
            QJsonObject recipe = part.toObject().value(QStringLiteral("recipe")).toObject();
            recipe.insert(QStringLiteral("isolated"), true);
            if (flags.isSet(QStringLiteral("survey")))
                recipe.insert(QStringLiteral("survey"), flags.value(QStringLiteral("survey")));
            if (flags.isSet(QStringLiteral("seeing"))) {
                recipe.insert(
                    QStringLiteral("seeing"),
                    QJsonObject{{QStringLiteral("factor"), flags.value(QStringLiteral("seeing")).toDouble()}});
            }
            const double share = part.toObject().value(QStringLiteral("share")).toDouble(1.0) / total;
            for (int i = 0; i < int(std::lround(share * count)); ++i) {
                take(*simulateScene(recipe, std::uint64_t(flags.value(QStringLiteral("seed")).toLongLong()), i, nullptr,
                                    options.threads));
            }
        }
    }
    if (cases.empty()) throw UsageError(QStringLiteral("no footprint was counted"));
    const size_t classes = cases.front().p.size();
    std::vector<std::vector<float>> own;
    QJsonArray histogram;
    std::vector<int> frequency(classes, 0);
    for (const Case& c : cases) {
        own.push_back(c.p);
        ++frequency[size_t(c.truth)];
    }
    for (const int n : frequency) {
        histogram.append(n);
    }
    const auto prior = baseline(cases, classes, true), confusion = baseline(cases, classes, false);
    const std::vector<double> a = logScores(cases, own);
    const QJsonObject out{{QStringLiteral("footprints"), int(cases.size())},
                          {QStringLiteral("scenes"), number},
                          {QStringLiteral("counts"), histogram},
                          {QStringLiteral("method"), summary(cases, own)},
                          {QStringLiteral("prior"), summary(cases, prior)},
                          {QStringLiteral("detector_confusion"), summary(cases, confusion)},
                          {QStringLiteral("method_minus_prior"), difference(a, logScores(cases, prior))},
                          {QStringLiteral("method_minus_detector"), difference(a, logScores(cases, confusion))},
                          {QStringLiteral("seconds_per_footprint"), seconds / double(cases.size())}};
    std::fputs(QJsonDocument(out).toJson().constData(), stdout);
    if (flags.isSet(QStringLiteral("plot"))) draw(cases, own, flags.value(QStringLiteral("plot")));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QGuiApplication application(argc, argv);
    try {
        return run(QCoreApplication::arguments());
    } catch (const Error& e) {
        std::fprintf(stderr, "count_calibration: %s\n", e.what());
        return 1;
    }
}
