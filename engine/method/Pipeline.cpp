#include "method/Pipeline.h"

#include "core/Error.h"
#include "detect/Positions.h"
#include "jobs/TaskPool.h"
#include "method/BlendMethod.h"
#include "method/ResidualIteration.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <chrono>
#include <mutex>

namespace blendscope {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Stands in where a pipeline has no deblender: every footprint goes to the host's fallback, the nearest peak.
class NearestPeak final : public BlendMethod {
public:
    BlendOutput deblend(const BlendInput&, const Parameters&, MethodContext&) const override {
        throw MethodError(QStringLiteral("this pipeline has no deblender"));
    }
};

/// Collects finished blends and hands out snapshots, at most one every `seconds`, rarer when copying is slow.
class PartialResults {
public:
    PartialResults(const Result& start, cv::Size size, const RunOptions& options)
        : m_options(options), m_wait(std::min(0.1, options.partialSeconds)) {
        m_result = start;
        m_result.complete = false;
        m_result.objects.clear();
        m_result.components.clear();
        m_result.blends.clear();
        m_result.segmentation = cv::Mat::zeros(size, CV_32S);
    }

    void add(const BlendResult& blend) {
        const std::lock_guard lock(m_mutex);
        m_result.blends.push_back(blend.blend);
        m_result.objects.insert(m_result.objects.end(), blend.objects.begin(), blend.objects.end());
        m_result.components.insert(m_result.components.end(), blend.components.begin(), blend.components.end());
        cv::Mat view = m_result.segmentation(blend.box.rect());
        blend.labels.copyTo(view, blend.labels != 0);
        if (secondsSince(m_last) < m_wait) return;
        const Clock::time_point start = Clock::now();
        auto snapshot = std::make_shared<Result>(m_result);
        snapshot->segmentation = m_result.segmentation.clone();
        const auto byId = [](const auto& a, const auto& b) { return a.id < b.id; };
        std::sort(snapshot->blends.begin(), snapshot->blends.end(), byId);
        std::sort(snapshot->objects.begin(), snapshot->objects.end(), byId);
        std::sort(snapshot->components.begin(), snapshot->components.end(), byId);
        m_options.onPartial(snapshot);
        m_last = Clock::now();
        m_wait = std::max(m_options.partialSeconds, 20.0 * secondsSince(start));
    }

private:
    const RunOptions& m_options;
    std::mutex m_mutex;
    Result m_result;
    Clock::time_point m_last = Clock::now();
    double m_wait; ///< seconds until the next snapshot; the first comes early
};

/// With given positions the catalogue has one row for each, found or not.
void completePositions(const Scene& scene, const RunOptions& options, Result& result) {
    std::vector<char> present(options.positions.size(), 0);
    for (const Object& object : result.objects) {
        if (object.position >= 0) present[object.position] = 1;
    }
    for (std::size_t i = 0; i < present.size(); ++i) {
        if (present[i]) continue;
        Object object;
        object.id = static_cast<int>(i) + 1;
        object.position = static_cast<int>(i);
        object.x = object.peakX = options.positions[i].x;
        object.y = object.peakY = options.positions[i].y;
        const bool outside = !(object.x >= -0.5 && object.y >= -0.5 && object.x < scene.size.width - 0.5 &&
                               object.y < scene.size.height - 0.5);
        object.flags = outside ? FlagOutside : FlagNotDetected;
        object.note = outside ? QStringLiteral("this position is outside the scene")
                              : QStringLiteral("no light could be given to this position");
        object.bands.resize(scene.bands.size());
        result.objects.push_back(std::move(object));
    }
    std::sort(result.objects.begin(), result.objects.end(),
              [](const Object& a, const Object& b) { return a.id < b.id; });
}

} // namespace

Pipeline Pipeline::fromJson(const QJsonObject& json) {
    Pipeline pipeline;
    const QJsonValue stages = json.value(QStringLiteral("stages"));
    if (!stages.isArray() || stages.toArray().isEmpty()) {
        throw UsageError(QStringLiteral("a pipeline needs \"stages\", a list of {\"method\": name}"));
    }
    for (const QJsonValue value : stages.toArray()) {
        const QString method =
            value.isString() ? value.toString() : value.toObject().value(QStringLiteral("method")).toString();
        if (method.isEmpty()) throw UsageError(QStringLiteral("a stage of the pipeline has no \"method\""));
        pipeline.stages.push_back({method, value.toObject().value(QStringLiteral("parameters")).toObject()});
    }
    pipeline.residualIterations = json.value(QStringLiteral("residual_iterations")).toInt(0);
    if (pipeline.residualIterations < 0 || pipeline.residualIterations > 20) {
        throw UsageError(QStringLiteral("residual_iterations is %1, wanted 0 to 20").arg(pipeline.residualIterations));
    }
    return pipeline;
}

Pipeline Pipeline::parse(const QString& text) {
    const QString trimmed = text.trimmed();
    QByteArray json;
    if (trimmed.startsWith(QLatin1Char('{'))) {
        json = trimmed.toUtf8();
    } else if (trimmed.endsWith(QStringLiteral(".json"), Qt::CaseInsensitive)) {
        QFile file(trimmed);
        if (!file.open(QIODevice::ReadOnly)) {
            throw UsageError(QStringLiteral("the pipeline %1 cannot be read: %2").arg(trimmed, file.errorString()));
        }
        json = file.readAll();
    }
    if (!json.isEmpty()) {
        QJsonParseError error{};
        const QJsonDocument document = QJsonDocument::fromJson(json, &error);
        if (!document.isObject()) {
            throw UsageError(QStringLiteral("the pipeline is not a JSON object: %1").arg(error.errorString()));
        }
        return fromJson(document.object());
    }
    Pipeline pipeline;
    for (const QString& name : trimmed.split(QLatin1Char('+'))) {
        if (name.trimmed().isEmpty())
            throw UsageError(QStringLiteral("the pipeline \"%1\" has an empty stage").arg(text));
        pipeline.stages.push_back({name.trimmed(), {}});
    }
    return pipeline;
}

QJsonObject Pipeline::toJson() const {
    QJsonArray array;
    for (const Stage& stage : stages) {
        array.append(
            QJsonObject{{QStringLiteral("method"), stage.method}, {QStringLiteral("parameters"), stage.parameters}});
    }
    return {{QStringLiteral("stages"), array}, {QStringLiteral("residual_iterations"), residualIterations}};
}

QString Pipeline::name() const {
    QStringList names;
    for (const Stage& stage : stages) {
        names << stage.method;
    }
    return names.join(QLatin1Char('+'));
}

void Pipeline::set(const QString& assignment) {
    const qsizetype equals = assignment.indexOf(QLatin1Char('='));
    const qsizetype dot = assignment.indexOf(QLatin1Char('.'));
    if (equals < 0 || dot < 1 || dot > equals) {
        throw UsageError(QStringLiteral("\"%1\" is not method.parameter=value").arg(assignment));
    }
    const QString method = assignment.left(dot), key = assignment.mid(dot + 1, equals - dot - 1);
    const QString value = assignment.mid(equals + 1);
    if (method == QLatin1String("pipeline") && key == QLatin1String("residual_iterations")) {
        bool ok = false;
        residualIterations = value.toInt(&ok);
        if (!ok || residualIterations < 0 || residualIterations > 20) {
            throw UsageError(QStringLiteral("residual_iterations is \"%1\", wanted 0 to 20").arg(value));
        }
        return;
    }
    bool found = false;
    for (Stage& stage : stages) {
        if (stage.method != method) continue;
        stage.parameters.insert(key, value);
        found = true;
    }
    if (!found)
        throw UsageError(QStringLiteral("\"%1\": the pipeline %2 has no stage %3").arg(assignment, name(), method));
}

ResultPtr runPipeline(const Scene& scene, const Pipeline& pipeline, const Registry& registry, Progress& progress,
                      const RunOptions& options) {
    if (pipeline.stages.empty()) throw UsageError(QStringLiteral("the pipeline has no stages"));
    if (scene.bands.empty() || scene.size.empty()) throw UsageError(QStringLiteral("the scene has no image"));

    struct Prepared {
        std::unique_ptr<Method> method;
        const MethodInfo* info = nullptr;
        Parameters parameters;
    };
    std::vector<Prepared> stages;
    QJsonArray described;
    for (const Pipeline::Stage& stage : pipeline.stages) {
        Prepared p;
        p.method = registry.create(stage.method);
        p.info = registry.find(stage.method);
        const int bands = static_cast<int>(scene.bands.size());
        if (bands < p.info->minBands || (p.info->maxBands > 0 && bands > p.info->maxBands)) {
            throw UsageError(QStringLiteral("method %1 takes %2 to %3 bands, the scene has %4")
                                 .arg(stage.method)
                                 .arg(p.info->minBands)
                                 .arg(p.info->maxBands > 0 ? QString::number(p.info->maxBands) : QStringLiteral("any"))
                                 .arg(bands));
        }
        p.parameters = Parameters(p.info->parameters);
        for (auto it = stage.parameters.begin(); it != stage.parameters.end(); ++it) {
            p.parameters.set(it.key(), it.value().toVariant());
        }
        described.append(QJsonObject{{QStringLiteral("method"), stage.method},
                                     {QStringLiteral("version"), p.info->version},
                                     {QStringLiteral("parameters"), p.parameters.toJson()}});
        stages.push_back(std::move(p));
    }

    Result result;
    result.sceneId = scene.id;
    result.bands = scene.bandNames();
    result.pipeline = {{QStringLiteral("stages"), described},
                       {QStringLiteral("residual_iterations"), pipeline.residualIterations}};
    result.sky = options.sky;
    result.conditions = options.conditions;
    std::mutex warningsMutex;
    QStringList warnings;
    MethodContext context;
    context.progress = &progress;
    context.threads = options.threads;
    context.device = options.device;
    context.warn = [&](const QString& sentence) {
        const std::lock_guard lock(warningsMutex);
        if (!warnings.contains(sentence)) warnings << sentence;
    };
    const auto usesPositions = [&](const Prepared& p) {
        return options.usePositions && p.info->does(QStringLiteral("detect"));
    };
    const auto runStage = [&](Method& method, const QString& name, const Parameters& parameters, Result input) {
        const MethodInfo* info = registry.find(name);
        context.folder = info ? info->folder : QString();
        const Clock::time_point start = Clock::now();
        std::unique_ptr<PartialResults> partial;
        if (options.onPartial) {
            partial = std::make_unique<PartialResults>(input, scene.size, options);
            context.publish = [&partial](const BlendResult& blend) { partial->add(blend); };
        }
        Result output = method.run(scene, std::move(input), parameters, context);
        context.publish = nullptr;
        output.stages.push_back({name, secondsSince(start)});
        return output;
    };

    if (options.detectionOnly) {
        while (!stages.empty() && !stages.back().info->does(QStringLiteral("detect"))) {
            stages.pop_back();
        }
        if (stages.empty()) throw UsageError(QStringLiteral("the pipeline %1 does not detect").arg(pipeline.name()));
    }
    bool deblended = false;
    for (const Prepared& stage : stages) {
        deblended |= stage.info->does(QStringLiteral("deblend"));
    }
    const auto measureUndeblended = [&] {
        if (deblended || !result.complete || !result.objects.empty()) return;
        NearestPeak fallback;
        result = runStage(fallback, QStringLiteral("measure"), Parameters(), std::move(result));
        for (Blend& blend : result.blends) {
            blend.flags &= ~static_cast<std::uint32_t>(FlagSkipped);
        }
    };
    for (Prepared& stage : stages) {
        // What is counted are blends: they must be there.
        if (!options.detectionOnly && stage.info->does(QStringLiteral("count")) && result.blends.empty()) {
            measureUndeblended();
            if (!result.complete) break;
        }
        result = runStage(*stage.method, stage.info->id, stage.parameters, std::move(result));
        if (!result.complete) break;
        if (!usesPositions(stage)) continue;
        usePositions(scene, result, options.positions);
        // What detects and deblends at once has deblended its own peaks: once more, at those given.
        if (stage.info->does(QStringLiteral("deblend")) && !options.detectionOnly)
            result = runStage(*stage.method, stage.info->id, stage.parameters, std::move(result));
        if (!result.complete) break;
    }
    if (options.detectionOnly) {
        result.warnings = scene.warnings + warnings;
        return std::make_shared<const Result>(std::move(result));
    }
    // A method that deblends only if it is asked to may have left its detections alone.
    if (result.objects.empty() && !result.footprints.empty()) deblended = false;
    measureUndeblended();
    for (int round = 0; round < pipeline.residualIterations && result.complete && deblended; ++round) {
        const Scene residual = residualScene(scene, result);
        Result found;
        found.sceneId = result.sceneId;
        found.bands = result.bands;
        double seconds = 0.0;
        for (Prepared& stage : stages) {
            if (!stage.info->does(QStringLiteral("detect"))) continue;
            const Clock::time_point start = Clock::now();
            context.folder = stage.info->folder;
            found = stage.method->run(residual, std::move(found), stage.parameters, context);
            seconds += secondsSince(start);
        }
        result.stages.push_back({QStringLiteral("residual detection"), seconds});
        if (mergeResidualPeaks(scene, found, result) == 0) break;
        for (Prepared& stage : stages) {
            if (stage.info->does(QStringLiteral("detect")) && !stage.info->does(QStringLiteral("deblend"))) continue;
            result = runStage(*stage.method, stage.info->id, stage.parameters, std::move(result));
            if (!result.complete) break;
        }
    }
    if (options.usePositions && result.complete) completePositions(scene, options, result);
    result.warnings = scene.warnings + warnings;
    return std::make_shared<const Result>(std::move(result));
}

} // namespace blendscope
