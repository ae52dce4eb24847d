#include "toymethod/ToyTask.h"

#include "core/Error.h"
#include "neural/Checkpoint.h"
#include "neural/ModelFile.h"
#include "neural/SampleQueue.h"
#include "neural/Trainer.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <signal.h>
#include <thread>

using namespace blendscope;
using namespace blendscope::test;

namespace {

struct Run {
    TrainingOutcome outcome;
    std::vector<TrainingPoint> points;
    QStringList warnings;
};

/// Trains the toy; `stopAt`: the stop button is pressed at the curve's point of this step.
Run train(const QString& out, int steps, bool resume = false, long long stopAt = -1, const QJsonObject& more = {},
          const ToyTask& task = ToyTask()) {
    QJsonObject recipe = toyRecipe(steps);
    recipe = completeRecipe(recipe, {{QStringLiteral("training"), more}});
    TrainingRequest request;
    request.out = out;
    request.resume = resume;
    request.threads = 1;
    request.device = QStringLiteral("cpu");
    Progress progress;
    Run run;
    TrainingContext context;
    context.progress = &progress;
    context.point = [&](const TrainingPoint& point) {
        run.points.push_back(point);
        if (stopAt >= 0 && point.step >= stopAt) progress.token().cancel();
    };
    context.warn = [&](const QString& sentence) { run.warnings << sentence; };
    run.outcome = trainNetwork(task, recipe, request, context);
    return run;
}

QByteArray contents(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestTrainer : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void learns() {
        const QTemporaryDir dir;
        const Run run = train(dir.path(), 400);
        QVERIFY(!run.outcome.stopped);
        QCOMPARE(run.outcome.headline, QStringLiteral("rms"));
        QVERIFY2(run.outcome.metrics.value(QStringLiteral("rms")) < 0.1,
                 qPrintable(QString::number(run.outcome.metrics.value(QStringLiteral("rms")))));
        QVERIFY(run.outcome.metrics.contains(QStringLiteral("test_rms")));
        QVERIFY(run.points.size() > 10);
        // The rate rises, then falls to its end.
        std::vector<double> rates;
        for (const TrainingPoint& p : run.points) {
            if (!p.validation) rates.push_back(p.values.value(QStringLiteral("learning_rate")));
        }
        QVERIFY(rates.back() < 0.1 * *std::max_element(rates.begin(), rates.end()));
        const ModelFile model = ModelFile::open(dir.path(), QStringLiteral("toy"), 1);
        QCOMPARE(model.card().value(QStringLiteral("steps")).toInt(), 400);
        const auto net = ToyTask().build();
        model.load(*net);
        QVERIFY(contents(dir.filePath(QStringLiteral("curves.csv"))).startsWith("step,seconds,set,"));
        QVERIFY(contents(dir.filePath(QStringLiteral("README.md"))).contains("| rms |"));
        // The card trains the same again.
        QCOMPARE(model.card()
                     .value(QStringLiteral("recipe"))
                     .toObject()
                     .value(QStringLiteral("training"))
                     .toObject()
                     .value(QStringLiteral("batch"))
                     .toInt(),
                 16);
    }

    void resumingChangesNothing_data() {
        QTest::addColumn<QString>("optimizer");
        QTest::newRow("adamw") << QStringLiteral("adamw");
        QTest::newRow("sgd") << QStringLiteral("sgd");
    }
    void resumingChangesNothing() {
        QFETCH(QString, optimizer);
        const QJsonObject more{{QStringLiteral("optimizer"), optimizer}};
        const QTemporaryDir whole, parts;
        const Run straight = train(whole.path(), 200, false, -1, more);
        const Run first = train(parts.path(), 200, false, 70, more);
        QVERIFY(first.outcome.stopped);
        QVERIFY(first.outcome.steps < 200);
        QVERIFY(!QFile::exists(parts.filePath(QStringLiteral("card.json"))));
        const Run second = train(parts.path(), 200, true, -1, more);
        QVERIFY(!second.outcome.stopped);
        QCOMPARE(second.outcome.metrics, straight.outcome.metrics);
        QCOMPARE(contents(parts.filePath(QStringLiteral("weights.safetensors"))),
                 contents(whole.filePath(QStringLiteral("weights.safetensors"))));
        // And the curves are one, but for the clock.
        QCOMPARE(second.points.size(), straight.points.size());
        for (std::size_t i = 0; i < straight.points.size(); ++i) {
            QCOMPARE(second.points[i].step, straight.points[i].step);
            QCOMPARE(second.points[i].values, straight.points[i].values);
        }
    }

    void theSameSeedGivesTheSameWeights() {
        const QTemporaryDir a, b, c;
        (void)train(a.path(), 60, false, -1, {{QStringLiteral("workers"), 1}});
        (void)train(b.path(), 60, false, -1, {{QStringLiteral("workers"), 4}});
        (void)train(c.path(), 60, false, -1, {{QStringLiteral("seed"), 2}});
        const QString name = QStringLiteral("weights.safetensors");
        QCOMPARE(contents(a.filePath(name)), contents(b.filePath(name)));
        QVERIFY(contents(a.filePath(name)) != contents(c.filePath(name)));
    }

    void itGoesOnFromAnotherModel() {
        const QTemporaryDir first, second, other;
        const Run scratch = train(first.path(), 200);
        const QJsonObject more{{QStringLiteral("start"), first.path()},
                               {QStringLiteral("warm_up"), 0},
                               {QStringLiteral("learning_rate"), 1e-9},
                               {QStringLiteral("half_precision"), false}};
        // At a rate of nothing the weights stay, whatever the seed: the test set is the same.
        QJsonObject otherSeed = more;
        otherSeed[QStringLiteral("seed")] = 9;
        const Run again = train(second.path(), 5, false, -1, otherSeed);
        const double before = scratch.outcome.metrics.value(QStringLiteral("test_rms")),
                     after = again.outcome.metrics.value(QStringLiteral("test_rms"));
        QVERIFY2(std::abs(after - before) < 0.01 * before, qPrintable(QStringLiteral("%1 %2").arg(before).arg(after)));
        QVERIFY_EXCEPTION_THROWN(
            (void)train(other.path(), 5, false, -1, {{QStringLiteral("start"), QStringLiteral("/no/model")}}),
            UsageError);
    }

    void aKillLeavesAWholeCheckpoint() {
        const QTemporaryDir dir;
        // Checkpoints are written all the time; the kill falls anywhere.
        for (int attempt = 0; attempt < 5; ++attempt) {
            QProcess child;
            child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--train-forever"), dir.path()});
            QVERIFY(child.waitForStarted());
            const QString path = Checkpoint::path(dir.path());
            QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(path), 20000);
            QTest::qWait(37 * (attempt + 1));
            ::kill(static_cast<pid_t>(child.processId()), SIGKILL);
            child.waitForFinished();
            const Checkpoint saved = Checkpoint::read(dir.path(), QStringLiteral("toy"), 1, ToyTask().network());
            QVERIFY(saved.step > 0);
            QVERIFY(!saved.weights.empty() && !saved.optimizer.empty());
        }
        const Checkpoint saved = Checkpoint::read(dir.path(), QStringLiteral("toy"), 1, ToyTask().network());
        const Run run = train(dir.path(), static_cast<int>(saved.step) + 20, true);
        QVERIFY(!run.outcome.stopped);
        QCOMPARE(run.outcome.steps, saved.step + 20);
    }

    void otherVersionsAreRefusedInWords() {
        const QTemporaryDir dir;
        (void)train(dir.path(), 20);
        const auto message = [&](const ToyTask& task) {
            try {
                (void)train(dir.path(), 20, true, -1, {}, task);
            } catch (const Error& e) {
                return e.message();
            }
            return QString();
        };
        QVERIFY(message(ToyTask(1)).isEmpty());
        QVERIFY2(message(ToyTask(2)).contains(QLatin1String("version 1")), qPrintable(message(ToyTask(2))));
        QVERIFY2(message(ToyTask(1, 9)).contains(QLatin1String("another size")), qPrintable(message(ToyTask(1, 9))));
        const QTemporaryDir empty;
        QVERIFY_EXCEPTION_THROWN((void)train(empty.path(), 20, true), UsageError);
        QFile damaged(Checkpoint::path(dir.path()));
        QVERIFY(damaged.resize(damaged.size() / 2));
        QVERIFY_EXCEPTION_THROWN((void)train(dir.path(), 20, true), ReadError);
    }

    void itStopsByItself() {
        const QTemporaryDir dir;
        const Run patient = train(dir.path(), 100000, false, -1,
                                  {{QStringLiteral("patience"), 2},
                                   {QStringLiteral("validate_every"), 10},
                                   {QStringLiteral("checkpoint_minutes"), 1}});
        QVERIFY(!patient.outcome.stopped);
        QVERIFY(patient.outcome.steps < 20000);
        const QTemporaryDir timed;
        const Run minute = train(timed.path(), 0, false, -1, {{QStringLiteral("minutes"), 0.01}});
        QVERIFY(minute.outcome.seconds < 10.0);
        QVERIFY(QFile::exists(timed.filePath(QStringLiteral("card.json"))));
    }

    void recipesAreChecked_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QJsonValue>("value");
        QTest::newRow("unknown") << QStringLiteral("learning") << QJsonValue(1);
        QTest::newRow("word") << QStringLiteral("batch") << QJsonValue(QStringLiteral("many"));
        QTest::newRow("fraction") << QStringLiteral("batch") << QJsonValue(2.5);
        QTest::newRow("negative") << QStringLiteral("learning_rate") << QJsonValue(-1.0);
        QTest::newRow("optimizer") << QStringLiteral("optimizer") << QJsonValue(QStringLiteral("magic"));
        QTest::newRow("endless") << QStringLiteral("steps") << QJsonValue(0);
    }
    void recipesAreChecked() {
        QFETCH(QString, key);
        QFETCH(QJsonValue, value);
        const QTemporaryDir dir;
        try {
            (void)train(dir.path(), 10, false, -1, {{key, value}});
            QFAIL("accepted");
        } catch (const UsageError& e) {
            QVERIFY2(e.message().contains(key), qPrintable(e.message()));
        }
    }

    void samplesComeInOrder() {
        for (const int threads : {1, 3, 8}) {
            SampleQueue queue(
                [](std::int64_t index) {
                    std::this_thread::sleep_for(std::chrono::microseconds((index * 7919) % 500));
                    if (index == 60) throw UsageError(QStringLiteral("sixty"));
                    return Tensors{{"i", torch::tensor({index})}};
                },
                10, threads, 5);
            for (std::int64_t i = 10; i < 60; ++i) {
                std::optional<Tensors> sample;
                while (!sample) {
                    sample = queue.next(1.0);
                }
                QCOMPARE(sample->at("i").item<std::int64_t>(), i);
            }
            QVERIFY_EXCEPTION_THROWN((void)queue.next(10.0), UsageError);
        }
    }
};

int main(int argc, char** argv) {
    const QCoreApplication application(argc, argv);
    if (argc == 3 && QString::fromLocal8Bit(argv[1]) == QLatin1String("--train-forever")) {
        const QString folder = QString::fromLocal8Bit(argv[2]);
        (void)train(folder, 1000000, QFile::exists(Checkpoint::path(folder)), -1,
                    {{QStringLiteral("checkpoint_minutes"), 0}});
        return 0;
    }
    TestTrainer test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_Trainer.moc"
