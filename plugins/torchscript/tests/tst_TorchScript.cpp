#include "ScriptModel.h"

#include "core/Error.h"
#include "method/Pipeline.h"
#include "method/Trust.h"
#include "simulate/Simulator.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace blendscope;

namespace {

/// Four models as an astronomer would export them: what they compute is known, so that results can be checked.
constexpr const char* kExport = R"(
import sys, torch
from torch import nn
folder = sys.argv[1]

class Classes(nn.Module):                      # sky or source, from a smoothed first channel
    def __init__(self):
        super().__init__()
        self.blur = nn.Conv2d(1, 1, 5, padding=2, bias=False)
        nn.init.constant_(self.blur.weight, 1 / 25)
    def forward(self, x):
        light = self.blur(x[:, :1])
        return torch.cat([1 - light, light], 1)

class Count(nn.Module):                        # logits by the light in the stamp
    def forward(self, x):
        light = x[:, 0].clamp(min=0).sum([1, 2]) / 100
        return torch.stack([light * 0, 1 + 0 * light, light], 1)

class Halves(nn.Module):                       # left half and right half of the light
    def forward(self, x):
        left = torch.zeros_like(x)
        half = x.size(3) // 2
        left[:, :, :, :half] = x[:, :, :, :half]
        return torch.stack([left, x - left], 1)

class Masks(nn.Module):                        # the same as masks, for a tuple of one
    def forward(self, x):
        left = torch.zeros_like(x[:, 0])
        left[:, :, :x.size(3) // 2] = 1
        return (torch.stack([left, 1 - left], 1),)

class Fails(nn.Module):
    def forward(self, x):
        assert x.size(2) > 100000, "no stamp is that large"
        return x

for name, model in [("classes", Classes()), ("count", Count()), ("halves", Halves()), ("masks", Masks()), ("fails", Fails())]:
    torch.jit.script(model.eval()).save(f"{folder}/{name}.pt")
)";

void write(const QString& path, const QByteArray& bytes) {
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
}

QByteArray contents(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QByteArray description(const QByteArray& id, const QByteArray& stage, const QByteArray& more) {
    return R"({"id": ")" + id + R"(", "title": "T", "description": "A model of the tests.", "version": "1",
        "stages": [")" +
           stage + R"("], "device": true, "parameters": [], "torchscript": {"model": ")" + id + R"(.pt",
        "preprocessing": {"bands": ["g", "r", "i"], "scale": "linear_noise"}, )" +
           more + "}}";
}

} // namespace

/// Files made by Python's torch become methods.
class TestTorchScript : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir, m_settings;
    ScenePtr m_scene;

    [[nodiscard]] Registry registry() const { return Registry(Registry::defaultFolders(), {m_dir.path()}); }
    [[nodiscard]] ResultPtr run(const QString& pipeline) const {
        Progress progress;
        const Registry methods = registry();
        return runPipeline(*m_scene, Pipeline::parse(pipeline), methods, progress);
    }
    void trustAll() const {
        for (const char* name : {"classes", "count", "halves", "masks", "fails"}) {
            const QString path = m_dir.filePath(QLatin1String(name) + QStringLiteral(".pt"));
            trust::remember(trust::digest(path), path);
        }
    }

private Q_SLOTS:
    void initTestCase() {
        qputenv("XDG_CONFIG_HOME", m_settings.path().toUtf8());
        QVERIFY(trust::listPath().startsWith(m_settings.path()));
        write(m_dir.filePath(QStringLiteral("export.py")), kExport);
        QProcess python;
        python.start(QStringLiteral("/usr/bin/python3"), {m_dir.filePath(QStringLiteral("export.py")), m_dir.path()});
        if (!python.waitForFinished(120000) || python.exitCode() != 0) {
            const QByteArray why = python.readAllStandardError().trimmed().split('\n').last();
            QSKIP("no torch for /usr/bin/python3 (package python3-torch): " + why);
        }
        write(m_dir.filePath(QStringLiteral("classes.json")),
              description("classes", "classify", R"("tile": 64, "margin": 2,
            "outputs": [{"meaning": "class_planes", "activation": "softmax", "names": ["sky", "source"]}])"));
        write(m_dir.filePath(QStringLiteral("count.json")), description("count", "count", R"("stamp": 32, "batch": 3,
            "outputs": [{"meaning": "count_probabilities", "activation": "softmax"}])"));
        write(m_dir.filePath(QStringLiteral("halves.json")), description("halves", "deblend", R"("stamp": 96,
            "outputs": [{"meaning": "component_images"}])"));
        write(m_dir.filePath(QStringLiteral("masks.json")), description("masks", "deblend", R"("stamp": 96,
            "outputs": [{"meaning": "instance_masks"}])"));
        write(m_dir.filePath(QStringLiteral("fails.json")), description("fails", "deblend", R"("stamp": 96,
            "outputs": [{"meaning": "component_images"}])"));
        const QJsonObject recipe{
            {QStringLiteral("name"), QStringLiteral("field")},
            {QStringLiteral("survey"), QStringLiteral("lsst")},
            {QStringLiteral("size"), QJsonArray{150, 130}},
            {QStringLiteral("galaxies"), QJsonObject{{QStringLiteral("magnitudes"), QJsonArray{20.5, 24.0}},
                                                     {QStringLiteral("density"), 110},
                                                     {QStringLiteral("clustered"), 0.7}}}};
        m_scene = simulateScene(recipe, 3, 0);
    }

    void nothingRunsBeforeItIsTrusted() {
        const Registry methods = registry();
        const MethodInfo* info = methods.find(QStringLiteral("classes"));
        QVERIFY(info && info->problem.isEmpty());
        QCOMPARE(info->script, m_dir.filePath(QStringLiteral("classes.pt")));
        QVERIFY(!methods.find(QStringLiteral("torchscript")));
        try {
            (void)run(QStringLiteral("classes"));
            QFAIL("it ran");
        } catch (const UsageError& e) {
            QVERIFY2(e.message().contains(QLatin1String("blend trust")), qPrintable(e.message()));
        }
        trustAll();
        (void)run(QStringLiteral("classes"));
        // Another content under the same name is another program.
        const QString path = m_dir.filePath(QStringLiteral("classes.pt"));
        const QByteArray before = contents(path);
        write(path, contents(m_dir.filePath(QStringLiteral("count.pt"))) + "x");
        QVERIFY_EXCEPTION_THROWN((void)run(QStringLiteral("classes")), UsageError);
        write(path, before);
    }

    void classPlanesCoverTheScene() {
        trustAll();
        const ResultPtr result = run(QStringLiteral("threshold+classes"));
        QCOMPARE(result->classNames, (std::vector<QString>{QStringLiteral("sky"), QStringLiteral("source")}));
        QCOMPARE(result->classPlanes.size(), std::size_t(2));
        const cv::Mat sum = result->classPlanes[0] + result->classPlanes[1];
        double least = 0, most = 0;
        cv::minMaxLoc(sum, &least, &most);
        QVERIFY(std::abs(least - 1.0) < 1e-5 && std::abs(most - 1.0) < 1e-5);
        // Where objects are, it says so.
        double on = 0.0, off = cv::mean(result->classPlanes[1])[0];
        for (const Footprint& footprint : result->footprints) {
            on = std::max(on, double(result->classPlanes[1].at<float>(
                                  cv::Point(int(footprint.peaks[0].x), int(footprint.peaks[0].y)))));
        }
        QVERIFY2(on > 0.95 && on > off + 0.2, qPrintable(QStringLiteral("%1 %2").arg(on).arg(off)));
    }

    void countsGoToTheirBlends() {
        trustAll();
        const ResultPtr result = run(QStringLiteral("threshold+count+partition"));
        QVERIFY(!result->blends.empty());
        for (const Blend& blend : result->blends) {
            QCOMPARE(blend.countProbabilities.size(), std::size_t(3));
            QVERIFY(std::abs(blend.countProbabilities[0] + blend.countProbabilities[1] + blend.countProbabilities[2] -
                             1.0f) < 1e-5f);
        }
    }

    void componentsShareOutTheLight_data() {
        QTest::addColumn<QString>("method");
        QTest::newRow("images") << QStringLiteral("halves");
        QTest::newRow("masks") << QStringLiteral("masks");
    }
    void componentsShareOutTheLight() {
        QFETCH(QString, method);
        trustAll();
        const ResultPtr result = run(QStringLiteral("threshold+") + method);
        int deblended = 0;
        for (const Blend& blend : result->blends) {
            if (blend.flags & FlagSkipped) continue;
            ++deblended;
            QVERIFY2(blend.message.contains(QLatin1String("drew 2 objects")), qPrintable(blend.message));
            // One half left of the middle, one right of it.
            QVERIFY(blend.objects.size() <= 2);
        }
        QVERIFY(deblended > 0);
    }

    void failuresAreSkippedInWords() {
        trustAll();
        const ResultPtr result = run(QStringLiteral("threshold+fails"));
        QVERIFY(!result->blends.empty());
        bool said = false;
        for (const Blend& blend : result->blends) {
            QVERIFY(blend.flags & FlagSkipped);
            said = said || blend.message.contains(QLatin1String("no stamp is that large"));
        }
        QVERIFY(said);
    }

    void badDescriptionsAreRefused_data() {
        QTest::addColumn<QByteArray>("more");
        QTest::newRow("no outputs") << QByteArray(R"("stamp": 32)");
        QTest::newRow("meaning") << QByteArray(R"("stamp": 32, "outputs": [{"meaning": "wisdom"}])");
        QTest::newRow("no stamp") << QByteArray(R"("outputs": [{"meaning": "count_probabilities"}])");
        QTest::newRow("mixed") << QByteArray(
            R"("stamp": 32, "outputs": [{"meaning": "class_planes"}, {"meaning": "count_probabilities"}])");
        QTest::newRow("tile") << QByteArray(R"("tile": 1.5, "outputs": [{"meaning": "class_planes"}])");
    }
    void badDescriptionsAreRefused() {
        QFETCH(QByteArray, more);
        trustAll();
        const QString path = m_dir.filePath(QStringLiteral("count.json"));
        const QByteArray before = contents(path);
        write(path, description("count", "count", more));
        QVERIFY_EXCEPTION_THROWN(ScriptModel{path}, UsageError);
        write(path, before);
    }

    void whatIsNoTorchScriptIsRefused() {
        write(m_dir.filePath(QStringLiteral("junk.pt")), "this is no zip file");
        write(m_dir.filePath(QStringLiteral("junk.json")),
              description("junk", "count", R"("stamp": 32, "outputs": [{"meaning": "count_probabilities"}])"));
        const QString path = m_dir.filePath(QStringLiteral("junk.pt"));
        trust::remember(trust::digest(path), path);
        QVERIFY_EXCEPTION_THROWN(ScriptModel{m_dir.filePath(QStringLiteral("junk.json"))}, ReadError);
        QFile::remove(path);
        const Registry methods = registry();
        QVERIFY(methods.find(QStringLiteral("junk"))->problem.contains(QLatin1String("junk.pt")));
    }
};

QTEST_GUILESS_MAIN(TestTorchScript)
#include "tst_TorchScript.moc"
