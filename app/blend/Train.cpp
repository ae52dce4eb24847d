#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "figure/TrainingCurves.h"
#include "method/Registry.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <vector>

namespace blendscope::cli {

namespace {

/// A recipe, or the "recipe" of a model's card: any shipped model can be trained again from its card.
QJsonObject readRecipe(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
    if (!document.isObject())
        throw ReadError(QStringLiteral("%1 is no JSON object: %2").arg(path, error.errorString()));
    const QJsonObject json = document.object();
    return json.contains(QStringLiteral("architecture")) ? json.value(QStringLiteral("recipe")).toObject() : json;
}

QString pointText(const TrainingPoint& point) {
    QStringList parts;
    for (auto it = point.values.begin(); it != point.values.end(); ++it) {
        parts << QStringLiteral("%1 %2").arg(it.key(), QString::number(it.value(), 'g', 4));
    }
    return QStringLiteral("step %1, %2 min: %3")
        .arg(point.step)
        .arg(point.seconds / 60.0, 0, 'f', 1)
        .arg(parts.join(QStringLiteral(", ")));
}

} // namespace

int runTrain(const QStringList& words, Console& console) {
    Arguments arguments(
        QStringLiteral("train"), QStringLiteral("METHOD"),
        QStringLiteral("Trains a method's network. Ctrl-C writes a checkpoint and stops; --resume goes on from it.\n"
                       "What a recipe says is in the manual (training.md); --print-recipe shows the method's own."),
        {{QStringLiteral("recipe"), QStringLiteral("R"),
          QStringLiteral("JSON file, or the card.json of a model; what it leaves out is the method's default")},
         {QStringLiteral("out"), QStringLiteral("MODEL"), QStringLiteral("folder for checkpoint, curves and model")},
         {QStringLiteral("resume"), {}, QStringLiteral("go on from the checkpoint in MODEL")},
         {QStringLiteral("labels"), QStringLiteral("FILE"), QStringLiteral("what blend labels export wrote")},
         {QStringLiteral("device"), QStringLiteral("D"), QStringLiteral("auto, cpu or cuda[:n] (default auto)")},
         {QStringLiteral("threads"), QStringLiteral("N"), QStringLiteral("at most N threads")},
         {QStringLiteral("print-recipe"), {}, QStringLiteral("print the complete default recipe and stop")}});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    if (arguments.words().size() != 1)
        throw UsageError(QStringLiteral("blend train needs one method, as count_mcdropout"));
    const QString id = arguments.words().first();
    const Registry registry;
    const std::unique_ptr<TrainableMethod> method = registry.createTrainable(id);
    if (arguments.has(QStringLiteral("print-recipe"))) {
        console.printJson(method->defaultRecipe());
        return 0;
    }
    TrainingRequest request;
    if (arguments.has(QStringLiteral("recipe"))) request.recipe = readRecipe(arguments.value(QStringLiteral("recipe")));
    request.out = arguments.required(QStringLiteral("out"));
    request.resume = arguments.has(QStringLiteral("resume"));
    request.labels = arguments.value(QStringLiteral("labels"));
    request.device = arguments.value(QStringLiteral("device"), QStringLiteral("auto"));
    request.threads = arguments.integer(QStringLiteral("threads"), 0, 1, 1024);
    request.folder = registry.find(id)->folder;

    Progress progress(console.token());
    const Console::ProgressLine line(console, progress, id + QStringLiteral(": "));
    std::vector<TrainingPoint> curves;
    TrainingContext context;
    context.progress = &progress;
    context.warn = [&](const QString& sentence) { console.note(QStringLiteral("blend: ") + sentence); };
    context.point = [&](const TrainingPoint& point) {
        curves.push_back(point);
        if (point.validation) console.note(pointText(point));
    };
    const TrainingOutcome outcome = method->train(request, context);
    if (!curves.empty()) saveTrainingCurves(request.out + QStringLiteral("/curves.svg"), curves, outcome.headline);
    if (arguments.has(QStringLiteral("json"))) {
        QJsonObject metrics;
        for (auto it = outcome.metrics.begin(); it != outcome.metrics.end(); ++it) {
            metrics[it.key()] = it.value();
        }
        console.printJson({{QStringLiteral("method"), id},
                           {QStringLiteral("out"), request.out},
                           {QStringLiteral("stopped"), outcome.stopped},
                           {QStringLiteral("steps"), static_cast<qint64>(outcome.steps)},
                           {QStringLiteral("seconds"), outcome.seconds},
                           {QStringLiteral("headline"), outcome.headline},
                           {QStringLiteral("metrics"), metrics}});
    } else if (outcome.stopped) {
        console.print(
            QStringLiteral("stopped at step %1; blend train %2 --resume --out %3 goes on (with the same recipe)")
                .arg(outcome.steps)
                .arg(id, request.out));
    } else {
        console.print(QStringLiteral("%1: %2 steps, %3 min; %4 %5 on the validation set")
                          .arg(request.out)
                          .arg(outcome.steps)
                          .arg(outcome.seconds / 60.0, 0, 'f', 1)
                          .arg(outcome.headline)
                          .arg(outcome.metrics.value(outcome.headline), 0, 'g', 4));
    }
    return 0;
}

} // namespace blendscope::cli
