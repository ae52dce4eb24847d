#include "io/ResultFolder.h"

#include "io/FitsFile.h"
#include "io/FitsWriter.h"
#include "io/ResultTables.h"
#include "method/Registry.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <chrono>
#include <cmath>
#include <opencv2/core/version.hpp>

namespace blendscope {

namespace {

const QString kCatalog = QStringLiteral("catalog.fits");
const QString kCovariances = QStringLiteral("covariances.csv");
const QString kCandidates = QStringLiteral("candidates.csv");
const QString kSegmentation = QStringLiteral("segmentation.fits");
const QString kComponents = QStringLiteral("components.fits");
const QString kClasses = QStringLiteral("classes.fits");
const QString kSky = QStringLiteral("sky.fits");
const QString kRun = QStringLiteral("run.json");

// A damaged or hostile run.json is not read without end.
constexpr qint64 kMostRunBytes = 256ll << 20;

// Distance of the nodes at which a sky model is kept; its own mesh is no finer.
constexpr int kSkyStep = 32;

/// A sky model from values at nodes `step` pixels apart, bilinear between them.
class NodeSky final : public SkyModel {
public:
    NodeSky(cv::Mat level, cv::Mat rms, int step) : m_level(std::move(level)), m_rms(std::move(rms)), m_step(step) {}
    [[nodiscard]] cv::Mat level(const Box& box) const override { return interpolated(m_level, box); }
    [[nodiscard]] cv::Mat rms(const Box& box) const override { return interpolated(m_rms, box); }
    [[nodiscard]] bool isZero() const override { return cv::countNonZero(m_level) == 0; }

private:
    [[nodiscard]] cv::Mat interpolated(const cv::Mat& nodes, const Box& box) const {
        cv::Mat out(box.size(), CV_32F);
        const auto place = [this](int pixel, int count, int& from, float& part) {
            const float at = std::clamp(float(pixel) / float(m_step), 0.0f, float(count - 1));
            from = std::min(static_cast<int>(at), std::max(0, count - 2));
            part = count > 1 ? at - float(from) : 0.0f;
        };
        for (int y = 0; y < box.height; ++y) {
            int j = 0;
            float v = 0.0f;
            place(box.y0 + y, nodes.rows, j, v);
            const float* low = nodes.ptr<float>(j);
            const float* high = nodes.ptr<float>(std::min(j + 1, nodes.rows - 1));
            float* row = out.ptr<float>(y);
            for (int x = 0; x < box.width; ++x) {
                int i = 0;
                float u = 0.0f;
                place(box.x0 + x, nodes.cols, i, u);
                const int k = std::min(i + 1, nodes.cols - 1);
                row[x] = (1 - v) * ((1 - u) * low[i] + u * low[k]) + v * ((1 - u) * high[i] + u * high[k]);
            }
        }
        return out;
    }

    cv::Mat m_level, m_rms;
    int m_step;
};

/// The nodes lie at multiples of kSkyStep; the last ones stand for the border, by the nearest pixel.
cv::Mat skyNodes(const SkyModel& sky, cv::Size size, bool rms) {
    const int columns = (size.width - 1 + kSkyStep - 1) / kSkyStep + 1;
    const int rows = (size.height - 1 + kSkyStep - 1) / kSkyStep + 1;
    cv::Mat nodes(rows, columns, CV_32F);
    for (int j = 0; j < rows; ++j) {
        const Box line{0, std::min(j * kSkyStep, size.height - 1), size.width, 1};
        const cv::Mat values = rms ? sky.rms(line) : sky.level(line);
        for (int i = 0; i < columns; ++i) {
            nodes.at<float>(j, i) = values.at<float>(0, std::min(i * kSkyStep, size.width - 1));
        }
    }
    return nodes;
}

void writeText(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

QByteArray lines(const QStringList& list) {
    return list.isEmpty() ? QByteArray() : (list.join(QLatin1Char('\n')) + QLatin1Char('\n')).toUtf8();
}

std::vector<FitsCard> aboutCards(const Result& result) {
    return {{QStringLiteral("ORIGIN"), QStringLiteral("Blendscope ") + engineVersion(), {}},
            {QStringLiteral("SCENE_ID"), result.sceneId, {}},
            {QStringLiteral("BANDS"), result.bands.join(QLatin1Char(',')), {}}};
}

void writeCatalog(const Result& result, const Scene& scene, const QDir& dir, const std::vector<FitsCard>& about,
                  const Table& blends) {
    const Table catalog = tables::catalog(result, scene);
    {
        FitsWriter file(dir.filePath(kCatalog));
        file.addEmpty(about);
        file.addTable(catalog);
        file.addTable(blends);
        file.commit();
    }
    writeText(dir.filePath(QStringLiteral("catalog.csv")), lines(csvLines(catalog)));
    writeText(dir.filePath(QStringLiteral("blends.csv")), lines(csvLines(blends)));
}

QJsonObject runJson(const Result& result, const Scene& scene, double readSeconds, double writeSeconds,
                    const OpenOptions& open) {
    QJsonArray stages, files, blendSeconds;
    for (const StageTiming& stage : result.stages) {
        stages.append(QJsonObject{{QStringLiteral("name"), stage.name}, {QStringLiteral("seconds"), stage.seconds}});
    }
    for (const SceneFile& file : scene.files) {
        files.append(file.path);
    }
    for (const Blend& blend : result.blends) {
        blendSeconds.append(blend.seconds);
    }
    return {
        {QStringLiteral("scene_id"), result.sceneId},
        {QStringLiteral("files"), files},
        {QStringLiteral("opened_with"), toJson(open)},
        {QStringLiteral("bands"), QJsonArray::fromStringList(result.bands)},
        {QStringLiteral("width"), scene.size.width},
        {QStringLiteral("height"), scene.size.height},
        {QStringLiteral("pipeline"), result.pipeline},
        {QStringLiteral("conditions"), result.conditions},
        {QStringLiteral("versions"), QJsonObject{{QStringLiteral("blendscope"), engineVersion()},
                                                 {QStringLiteral("method_abi"), kMethodAbi},
                                                 {QStringLiteral("qt"), QLatin1String(qVersion())},
                                                 {QStringLiteral("opencv"), QStringLiteral(CV_VERSION)}}},
        {QStringLiteral("device"), result.pipeline.value(QStringLiteral("device")).toString(QStringLiteral("cpu"))},
        {QStringLiteral("complete"), result.complete},
        {QStringLiteral("objects"), static_cast<int>(result.objects.size())},
        {QStringLiteral("blends"), static_cast<int>(result.blends.size())},
        {QStringLiteral("warnings"), QJsonArray::fromStringList(result.warnings)},
        {QStringLiteral("assumptions"), QJsonArray::fromStringList(scene.assumptions)},
        {QStringLiteral("stages"), stages},
        {QStringLiteral("read_seconds"), readSeconds},
        {QStringLiteral("write_seconds"), writeSeconds},
        {QStringLiteral("blend_seconds"), blendSeconds},
        {QStringLiteral("written"), QDateTime::currentDateTimeUtc().toString(Qt::ISODate)},
    };
}

const FitsHdu* findHdu(const FitsFile& file, const QString& name) {
    for (const FitsHdu& hdu : file.hdus()) {
        if (hdu.name.compare(name, Qt::CaseInsensitive) == 0) return &hdu;
    }
    return nullptr;
}

} // namespace

bool isResultFolder(const QString& folder) {
    return QFileInfo(folder).isDir() && QFileInfo(QDir(folder).filePath(kRun)).isFile();
}

RunRecord readRunRecord(const QString& folder) {
    QFile file(QDir(folder).filePath(kRun));
    if (!file.open(QIODevice::ReadOnly)) {
        throw ReadError(QStringLiteral("%1 cannot be read: %2").arg(file.fileName(), file.errorString()));
    }
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(file.read(kMostRunBytes), &error);
    if (!document.isObject()) {
        throw ReadError(QStringLiteral("%1 is not what a run writes: %2").arg(file.fileName(), error.errorString()));
    }
    const QJsonObject json = document.object();
    RunRecord record;
    record.sceneId = json.value(QStringLiteral("scene_id")).toString();
    for (const QJsonValue name : json.value(QStringLiteral("files")).toArray()) {
        record.files << name.toString();
    }
    record.open = openOptionsFromJson(json.value(QStringLiteral("opened_with")).toObject());
    record.pipeline = json.value(QStringLiteral("pipeline")).toObject();
    return record;
}

ScenePtr openSceneOfResult(const QString& folder, const OpenOptions& override, const QString& path,
                           Progress* progress) {
    const RunRecord record = readRunRecord(folder);
    OpenOptions options = record.open;
    if (!override.bands.isEmpty()) options.bands = override.bands;
    if (!override.zeroPoint.isEmpty()) options.zeroPoint = override.zeroPoint;
    if (!override.psf.isEmpty()) options.psf = override.psf;
    if (override.resample) options.resample = true;
    if (!override.name.isEmpty()) options.name = override.name;
    if (options.name.isEmpty() && path.isEmpty()) options.name = record.sceneId;
    const QStringList files = path.isEmpty() ? record.files : QStringList{path};
    if (files.isEmpty()) {
        throw ReadError(QStringLiteral("%1 does not say which files its scene has").arg(QDir(folder).filePath(kRun)));
    }
    const std::vector<ScenePtr> scenes =
        openScenes(files.size() > 1 ? QStringList{files.join(QLatin1Char(','))} : files, options, progress);
    for (const ScenePtr& scene : scenes) {
        if (scene->id == record.sceneId) return scene;
    }
    if (scenes.size() == 1) return scenes.front();
    throw ReadError(scenes.empty() ? QStringLiteral("there is no scene in %1").arg(files.join(QStringLiteral(", ")))
                                   : QStringLiteral("%1 holds %2 scenes, none of them %3")
                                         .arg(files.join(QStringLiteral(", ")))
                                         .arg(scenes.size())
                                         .arg(record.sceneId));
}

QStringList catalogCsvLines(const Result& result, const Scene& scene, bool withHeader) {
    return csvLines(tables::catalog(result, scene), withHeader);
}

void writeResult(const Result& result, const Scene& scene, const QString& folder, double readSeconds,
                 const OpenOptions& open) {
    const auto start = std::chrono::steady_clock::now();
    if (!QDir().mkpath(folder)) throw WriteError(QStringLiteral("the folder %1 cannot be made").arg(folder));
    const QDir dir(folder);
    const auto path = [&](const QString& name) { return dir.filePath(name); };
    const std::vector<FitsCard> about = aboutCards(result);

    writeCatalog(result, scene, dir, about, tables::blends(result));
    writeText(path(kCovariances), lines(csvLines(tables::covariances(result))));
    const Table candidates = tables::candidates(result);
    QFile::remove(path(kCandidates)); // of an earlier run into the same folder
    if (candidates.rows() > 0) writeText(path(kCandidates), lines(csvLines(candidates)));
    {
        FitsWriter file(path(kSegmentation));
        std::vector<FitsCard> cards = about;
        cards.push_back({QStringLiteral("BUNIT"), QStringLiteral("object id"), QStringLiteral("0 = none")});
        file.addImage(result.segmentation.empty() ? cv::Mat(cv::Mat::zeros(scene.size, CV_32S)) : result.segmentation,
                      {}, cards, scene.wcs.toHeader());
        file.addTable(tables::footprints(result));
        file.addTable(tables::peaks(result));
        file.commit();
    }
    {
        FitsWriter file(path(kComponents));
        file.addEmpty(about);
        file.addTable(tables::components(result));
        file.commit();
    }
    // Left from an earlier run into the same folder, these would no longer belong to the catalogue.
    QFile::remove(path(kClasses));
    QFile::remove(path(kSky));
    if (!result.classPlanes.empty()) {
        FitsWriter file(path(kClasses));
        file.addEmpty(about);
        for (size_t i = 0; i < result.classPlanes.size(); ++i) {
            const QString name = i < result.classNames.size() ? result.classNames[i] : QString::number(i);
            file.addImage(result.classPlanes[i], QStringLiteral("CLASS_") + name.toUpper(), {}, scene.wcs.toHeader());
        }
        file.commit();
    }
    bool subtracted = false;
    for (const SkyModelPtr& sky : result.sky) {
        subtracted |= sky && !sky->isZero();
    }
    if (subtracted) {
        FitsWriter file(path(kSky));
        file.addEmpty(about);
        for (size_t b = 0; b < result.sky.size() && b < size_t(result.bands.size()); ++b) {
            if (!result.sky[b]) continue;
            const QString band = result.bands[static_cast<qsizetype>(b)];
            const std::vector<FitsCard> cards = {
                {QStringLiteral("STEP"), kSkyStep, QStringLiteral("pixels from node to node, first at pixel 0")}};
            file.addImage(skyNodes(*result.sky[b], scene.size, false), QStringLiteral("LEVEL_") + band, cards);
            file.addImage(skyNodes(*result.sky[b], scene.size, true), QStringLiteral("RMS_") + band, cards);
        }
        file.commit();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    // Last, so that a folder with run.json is whole.
    writeText(path(kRun), QJsonDocument(runJson(result, scene, readSeconds, seconds, open)).toJson());
}

void writeOutcomes(const Result& result, const Scene& scene, const QString& folder,
                   const QMap<int, QString>& outcomeOfBlend) {
    Table blends = tables::blends(result);
    QStringList outcomes;
    for (const Blend& blend : result.blends) {
        outcomes << outcomeOfBlend.value(blend.id);
    }
    blends.columns.push_back({QStringLiteral("outcome"), {}, outcomes, -1});
    writeCatalog(result, scene, QDir(folder), aboutCards(result), blends);
}

ResultPtr readResult(const Scene& scene, const QString& folder) {
    const QDir dir(folder);
    if (!dir.exists()) throw ReadError(QStringLiteral("the result folder %1 does not exist").arg(folder));
    if (!dir.exists(kRun) && !dir.exists(kCatalog)) {
        throw ReadError(
            QStringLiteral("%1 is not a result folder: it has neither run.json nor catalog.fits").arg(folder));
    }
    Result result;
    result.sceneId = scene.id;
    result.bands = scene.bandNames();
    QStringList missing;
    // A damaged file costs its part, like a missing one.
    const auto part = [&](const QString& name, const auto& read) {
        try {
            if (!dir.exists(name)) throw ReadError(QStringLiteral("it is missing"));
            read(dir.filePath(name));
        } catch (const Error& e) {
            missing << QStringLiteral("%1 was not read: %2").arg(name, e.message());
        }
    };

    QJsonArray blendSeconds;
    part(kRun, [&](const QString& path) {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly)) throw ReadError(file.errorString());
        QJsonParseError error{};
        const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
        if (!document.isObject()) throw ReadError(error.errorString());
        const QJsonObject json = document.object();
        result.sceneId = json.value(QStringLiteral("scene_id")).toString(scene.id);
        result.pipeline = json.value(QStringLiteral("pipeline")).toObject();
        result.conditions = json.value(QStringLiteral("conditions")).toObject();
        result.complete = json.value(QStringLiteral("complete")).toBool(true);
        blendSeconds = json.value(QStringLiteral("blend_seconds")).toArray();
        for (const QJsonValue stage : json.value(QStringLiteral("stages")).toArray()) {
            result.stages.push_back({stage.toObject().value(QStringLiteral("name")).toString(),
                                     stage.toObject().value(QStringLiteral("seconds")).toDouble()});
        }
        for (const QJsonValue warning : json.value(QStringLiteral("warnings")).toArray()) {
            result.warnings << warning.toString();
        }
    });
    part(kCatalog, [&](const QString& path) {
        const FitsFilePtr file = FitsFile::open(path);
        if (const FitsHdu* hdu = findHdu(*file, QStringLiteral("CATALOG"))) {
            tables::readCatalog(file->readTable(*hdu), result);
        }
        if (const FitsHdu* hdu = findHdu(*file, QStringLiteral("BLENDS"))) {
            tables::readBlends(file->readTable(*hdu), result);
        }
        for (size_t i = 0; i < result.blends.size() && static_cast<qsizetype>(i) < blendSeconds.size(); ++i) {
            result.blends[i].seconds = blendSeconds[static_cast<qsizetype>(i)].toDouble();
        }
    });
    part(kCovariances, [&](const QString& path) {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly)) throw ReadError(file.errorString());
        tables::readCovariances(parseCsv(file.readAll()), result);
    });
    if (dir.exists(kCandidates)) {
        part(kCandidates, [&](const QString& path) {
            QFile file(path);
            if (!file.open(QIODevice::ReadOnly)) throw ReadError(file.errorString());
            tables::readCandidates(parseCsv(file.readAll()), result);
        });
    }
    part(kSegmentation, [&](const QString& path) {
        const FitsFilePtr file = FitsFile::open(path);
        for (const FitsHdu& hdu : file->hdus()) {
            if (!hdu.isImage()) continue;
            if (hdu.size() != scene.size) {
                throw ReadError(QStringLiteral("it is %1x%2, the scene %3x%4")
                                    .arg(hdu.size().width)
                                    .arg(hdu.size().height)
                                    .arg(scene.size.width)
                                    .arg(scene.size.height));
            }
            result.segmentation = file->read(hdu, 0, scene.box(), CV_32S);
            break;
        }
        if (const FitsHdu* hdu = findHdu(*file, QStringLiteral("FOOTPRINTS"))) {
            tables::readFootprints(file->readTable(*hdu), result);
        }
        if (const FitsHdu* hdu = findHdu(*file, QStringLiteral("PEAKS"))) {
            tables::readPeaks(file->readTable(*hdu), result);
        }
    });
    part(kComponents, [&](const QString& path) {
        const FitsFilePtr file = FitsFile::open(path);
        const FitsHdu* hdu = findHdu(*file, QStringLiteral("COMPONENTS"));
        if (!hdu) throw ReadError(QStringLiteral("it has no table COMPONENTS"));
        const QStringList bands = file->hdu(1).header.string("BANDS").split(QLatin1Char(','), Qt::SkipEmptyParts);
        tables::readComponents(file->readTable(*hdu, true), bands, result);
    });
    if (dir.exists(kClasses)) {
        part(kClasses, [&](const QString& path) {
            const FitsFilePtr file = FitsFile::open(path);
            for (const FitsHdu& hdu : file->hdus()) {
                if (!hdu.isImage() || hdu.size() != scene.size) continue;
                result.classNames.push_back(hdu.name.section(QLatin1Char('_'), 1).toLower());
                result.classPlanes.push_back(file->read(hdu, 0, scene.box(), CV_32F));
            }
        });
    }
    if (dir.exists(kSky)) {
        part(kSky, [&](const QString& path) {
            const FitsFilePtr file = FitsFile::open(path);
            std::vector<SkyModelPtr> sky;
            for (const QString& band : result.bands) {
                const FitsHdu* level = findHdu(*file, QStringLiteral("LEVEL_") + band);
                const FitsHdu* rms = findHdu(*file, QStringLiteral("RMS_") + band);
                if (!level || !rms || level->size() != rms->size() || level->size().empty()) {
                    throw ReadError(QStringLiteral("it has no sky of band %1").arg(band));
                }
                const Box all = Box::of(level->size());
                const int step = static_cast<int>(level->header.number("STEP").value_or(kSkyStep));
                sky.push_back(std::make_shared<NodeSky>(file->read(*level, 0, all, CV_32F),
                                                        file->read(*rms, 0, all, CV_32F), std::max(1, step)));
            }
            result.sky = std::move(sky);
        });
    }
    for (const QString& sentence : std::as_const(missing)) {
        result.warnings << sentence;
    }
    return std::make_shared<const Result>(std::move(result));
}

} // namespace blendscope
