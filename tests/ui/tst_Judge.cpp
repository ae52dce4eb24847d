#include "actions/ActionRegistry.h"
#include "figure/JudgedPictures.h"
#include "figure/OutcomeLook.h"
#include "io/SceneReader.h"
#include "judge/EvaluateDialog.h"
#include "judge/InjectPanel.h"
#include "judge/InjectTool.h"
#include "judge/JudgeInspector.h"
#include "judge/JudgeMode.h"
#include "judge/JudgePanel.h"
#include "judge/JudgedBoard.h"
#include "judge/MetricsView.h"
#include "judge/OutcomePanel.h"
#include "judge/PlotWidget.h"
#include "judge/RatesChart.h"
#include "judge/SettingsComparison.h"
#include "models/ResultModel.h"
#include "panels/BlendsPanel.h"
#include "panels/InspectorPanel.h"
#include "support/EventDriver.h"
#include "support/SyntheticScene.h"
#include "theme/Theme.h"
#include "view/SceneView.h"
#include "window/MainWindow.h"
#include "window/MessageBar.h"
#include "window/StartPage.h"
#include "window/ViewArea.h"

#include <QJsonDocument>
#include <QListView>
#include <QListWidget>
#include <QPushButton>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

using namespace blendscope;
using namespace blendscope::test;

namespace {

/// `count` pairs in a row, 20 pixels apart, outcomes in turn; S/N falls and separation grows along the row.
Judgement makeJudgement(int count) {
    const Outcome turn[] = {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded, Outcome::Merged,
                            Outcome::Undetected};
    Judgement j;
    j.sceneId = QStringLiteral("row");
    for (int i = 0; i < count; ++i) {
        BlendVerdict b;
        b.id = i + 1;
        b.box = {20 * (i % 100), 20 * (i / 100), 14, 14};
        b.outcome = turn[i % 5];
        b.nSep = 2;
        b.nBlend = 2;
        for (int k = 0; k < 2; ++k) {
            TruthVerdict t;
            t.id = 2 * i + k + 1;
            t.blend = b.id;
            t.letter = QLatin1Char(k ? 'B' : 'A');
            t.outcome = b.outcome;
            t.x = b.box.x0 + 4 + k * (2.0 + 0.001 * i);
            t.y = b.box.y0 + 6;
            t.snr = 1000.0 - 0.01 * i;
            t.words = QStringLiteral("%1 has words.").arg(t.letter);
            b.members.push_back(t.id);
            j.objects.push_back(t);
        }
        j.blends.push_back(b);
    }
    return j;
}

ScenePtr emptyScene(cv::Size size) {
    auto scene = std::make_shared<Scene>();
    scene->id = QStringLiteral("row");
    scene->size = size;
    for (const char* name : {"g", "r"}) {
        Band band;
        band.name = QLatin1String(name);
        band.image = std::make_shared<MemoryPlane>(cv::Mat(size, CV_32F, cv::Scalar(1.0)));
        band.variance = std::make_shared<ConstantPlane>(size, 1.0f);
        band.wavelength = name[0] == 'g' ? 480.0 : 620.0;
        scene->bands.push_back(band);
    }
    scene->truth = Truth{};
    scene->truth->objects.resize(1);
    return scene;
}

} // namespace

class TestJudge : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    QString m_recipe;
    std::unique_ptr<MainWindow> m_window; ///< with a small scene and two judged settings

    static std::unique_ptr<MainWindow> makeWindow() {
        auto window = std::make_unique<MainWindow>();
        window->setAskBeforeClosing(false);
        window->resize(1280, 800);
        window->show();
        if (!QTest::qWaitForWindowExposed(window.get())) return nullptr;
        if (!waitFor([&] { return window->document()->registry() != nullptr; })) return nullptr;
        return window;
    }

private Q_SLOTS:
    void initTestCase() {
        isolateSettings();
        Theme::apply(ThemeChoice::Light);
        m_recipe = m_folder.filePath(QStringLiteral("small.json"));
        QFile file(m_recipe);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"({"name": "small", "survey": "lsst", "size": [160, 160],
                      "galaxies": {"magnitudes": [20.5, 24.5], "density": 110, "clustered": 0.7, "reach": 2.2}})");
    }
    void cleanupTestCase() { m_window.reset(); }

    void outcomesAreToldApartWithoutColour() {
        QSet<QString> letters, dashes;
        QSet<QRgb> colours;
        for (const Outcome outcome : outcomeOrder()) {
            const OutcomeLook& look = outcomeLook(outcome);
            QVERIFY2(!look.title.isEmpty() && !look.help.isEmpty(), qPrintable(outcomeWord(outcome)));
            letters.insert(look.letter);
            if (outcomeRank(outcome) >= 5) continue;
            colours.insert(look.colour.rgb());
            QString pattern;
            for (const qreal d : look.dashes) {
                pattern += QString::number(d) + QLatin1Char(' ');
            }
            dashes.insert(pattern);
        }
        QCOMPARE(letters.size(), qsizetype(outcomeOrder().size()));
        QCOMPARE(colours.size(), 5);
        QCOMPARE(dashes.size(), 5);
        QCOMPARE(outcomeOrder().size(), allOutcomes().size());
    }

    void stripGroupsSortsAndFilters() {
        OutcomeModel model;
        model.setJudgement(std::make_shared<const Judgement>(makeJudgement(50)));
        QCOMPARE(model.total(), 50);
        QCOMPARE(model.count(Outcome::Merged), 10);
        QCOMPARE(model.rowCount(), 50);
        // Recognized first, the brightest of them first.
        QCOMPARE(model.blendAt(0), 1);
        QCOMPARE(model.blendAt(1), 6);
        model.setSort(OutcomeModel::Sort::Separation, true);
        QCOMPARE(model.blendAt(0), 46);
        model.setShown({int(Outcome::Shredded)});
        QCOMPARE(model.rowCount(), 10);
        QCOMPARE(model.step(0, 1), model.blendAt(0));
        QCOMPARE(model.step(model.blendAt(0), -1), model.blendAt(9)); // round
        model.setShown({});
        model.setOnly(QSet<int>{3, 4, 99});
        QCOMPARE(model.rowCount(), 2);
        model.setOnly(std::nullopt);
        Judgement other = makeJudgement(50);
        other.blends[6].outcome = Outcome::Shredded;
        model.setJudgement(model.judgement(), {std::make_shared<const Judgement>(other)});
        model.setSort(OutcomeModel::Sort::Disagreement, true);
        model.setShown({int(Outcome::Unrecognized)});
        QCOMPARE(model.blendAt(0), 7); // the disputed one
    }

    void tenThousandBlendsStayLight() {
        auto window = makeWindow();
        QVERIFY(window);
        window->setMode(MainWindow::Mode::Judge);
        window->document()->addScene(emptyScene({2000, 2000}));
        auto result = std::make_shared<Result>();
        result->segmentation = cv::Mat(2000, 2000, CV_32S, cv::Scalar(0));
        // A result that was read has no job; judging is given.
        const int id = window->document()->addResult(result, QStringLiteral("given"));
        QElapsedTimer clock;
        clock.start();
        window->judge()->controller()->setJudgement(id, std::make_shared<const Judgement>(makeJudgement(10000)));
        QCOMPARE(window->judge()->strip()->model()->rowCount(), 10000);
        QVERIFY(waitFor([&] { return window->judge()->settled(); }));
        qInfo("10 000 blends shown after %lld ms", clock.elapsed());
        QVERIFY(clock.elapsed() < 15000); // thumbnails of what is in sight alone
        clock.restart();
        for (int i = 0; i < 20; ++i) {
            QVERIFY(window->actionRegistry()->trigger(QStringLiteral("blend.next")));
        }
        qInfo("20 steps took %lld ms", clock.elapsed());
        QVERIFY(window->judge()->controller()->selectedBlend() > 0);
        QVERIFY(waitFor([&] { return window->judge()->settled(); }));
    }

    void startPageLeadsToTheComparison() {
        auto window = makeWindow();
        QVERIFY(window);
        auto* button = window->startPage()->findChild<QPushButton*>(QStringLiteral("startCompare"));
        QVERIFY(button);
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(window->mode(), MainWindow::Mode::Judge);
        QVERIFY(window->document()->busy());
        window->document()->cancelAll();
        QVERIFY(waitFor([&] { return !window->document()->busy(); }));
    }

    void twoSettingsAreJudged() {
        m_window = makeWindow();
        QVERIFY(m_window);
        m_window->setMode(MainWindow::Mode::Judge);
        m_window->judge()->comparison()->onSimulation(m_recipe, 3);
        const auto judged = [this] {
            const SceneEntry* s = m_window->document()->current();
            if (!s || s->results.size() != 2) return false;
            return m_window->judge()->controller()->judgement(s->results[0]->id) &&
                   m_window->judge()->controller()->judgement(s->results[1]->id);
        };
        QVERIFY2(waitFor(judged, 120000), qPrintable(m_window->messages()->text()));
        QVERIFY(waitFor([&] { return m_window->settled(); }));
        const auto& rows = m_window->judge()->panel()->chart()->rows();
        QCOMPARE(rows.size(), std::size_t(2));
        QVERIFY(!rows[0].counts.isEmpty() && !rows[1].counts.isEmpty());
        QVERIFY(m_window->judge()->panel()->words().contains(QStringLiteral("Who shreds?")));
        QVERIFY(m_window->judge()->strip()->model()->rowCount() > 0);
        QVERIFY(m_window->judge()->controller()->selectedBlend() > 0); // a telling one
    }

    void blendsAreWalkedAndExplained() {
        QVERIFY(m_window);
        JudgeController* judge = m_window->judge()->controller();
        OutcomePanel* strip = m_window->judge()->strip();
        const int before = judge->selectedBlend();
        m_window->activateWindow();
        QApplication::setActiveWindow(m_window.get());
        m_window->viewArea()->view()->setFocus();
        QTest::keyClick(m_window.get(), Qt::Key_D);
        if (strip->model()->rowCount() > 1) QVERIFY(judge->selectedBlend() != before);
        QCOMPARE(strip->model()->blendAt(strip->view()->currentIndex().row()), judge->selectedBlend());
        QTest::keyClick(m_window.get(), Qt::Key_A);
        QCOMPARE(judge->selectedBlend(), before);
        QVERIFY(waitFor([&] { return m_window->judge()->inspector()->settled(); }));
        const BlendVerdict* blend = judge->current()->blend(before);
        QCOMPARE(m_window->judge()->inspector()->board()->objectsAlone(), blend->members);
        QVERIFY(m_window->judge()->inspector()->board()->hasPictures());
        QVERIFY(m_window->judge()->inspector()->words().contains(outcomeLook(blend->outcome).title.toLower()));

        // A chip filters, a second click shows all again.
        QToolButton* chip = strip->chip(blend->outcome);
        const int all = strip->model()->rowCount();
        click(chip, chip->rect().center());
        QCOMPARE(strip->model()->rowCount(), strip->model()->count(blend->outcome));
        click(chip, chip->rect().center());
        QCOMPARE(strip->model()->rowCount(), all);

        // A click in the picture selects the blend there.
        judge->selectBlend(0);
        SceneView* view = m_window->viewArea()->view();
        view->fit();
        QVERIFY(view->waitUntilSettled());
        const TruthVerdict* t = judge->current()->object(blend->members.front());
        click(view, view->toWidget({t->x, t->y}).toPoint());
        QVERIFY(waitFor([&] { return judge->selectedBlend() == before; }, 3000));

        // The other result: the same blend stays selected.
        const int truth = blend->members.front();
        m_window->document()->stepResult(1);
        const BlendVerdict* there = judge->current()->blend(judge->selectedBlend());
        QVERIFY(there);
        QVERIFY(std::find(there->members.begin(), there->members.end(), truth) != there->members.end());

        // Look mode has its panels back.
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("mode.look")));
        QVERIFY(!strip->isVisible());
        QVERIFY(!m_window->viewArea()->overlays().truth);
        QVERIFY(m_window->inspector()->isVisible());
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("mode.judge")));
        QVERIFY(strip->isVisible());
        QVERIFY(m_window->viewArea()->overlays().truth);
    }

    void probabilitiesOnRequest() {
        QVERIFY(m_window);
        JudgeController* judge = m_window->judge()->controller();
        const int id = m_window->document()->currentResult()->id;
        auto* button = m_window->judge()->panel()->findChild<QPushButton*>(QStringLiteral("outcomeProbabilities"));
        QVERIFY(button && button->isEnabled());
        const JudgementPtr before = judge->current();
        judge->askProbabilities(id, 2);
        QVERIFY(judge->running() && judge->current() == before); // what is known stays meanwhile
        QVERIFY(waitFor([&] { return !judge->running(); }, 120000));
        const JudgementPtr now = judge->current();
        QCOMPARE(now->realisations, 2);
        QVERIFY(!button->isEnabled());
        const auto blend =
            std::find_if(now->blends.begin(), now->blends.end(), [](const BlendVerdict& b) { return b.isBlend(); });
        QVERIFY(blend != now->blends.end());
        double sum = 0.0;
        for (const double share : blend->probability) {
            sum += share;
        }
        QVERIFY(std::abs(sum - 1.0) < 1e-9);
        judge->selectBlend(blend->id);
        QVERIFY(m_window->judge()->inspector()->words().contains(QStringLiteral("in 2 realisations")));
        QVERIFY(m_window->judge()->inspector()->words().contains(QStringLiteral("detected alone in")));
    }

    /// Truth of a table alone: each object is drawn for the pictures.
    void objectsOfATableAreSeenAlone() {
        const ScenePtr whole = m_window->document()->scene();
        const JudgementPtr judgement = m_window->judge()->controller()->current();
        const int blend = m_window->judge()->controller()->selectedBlend();
        Scene table = *whole;
        table.truth->isolated.clear();
        table.truth->noiseless.clear();
        table.truth->segmentation.reset();
        const RgbSettings rgb;
        const auto given = makeJudgedPictures(*whole, *judgement, blend, rgb);
        const auto drawn = makeJudgedPictures(table, *judgement, blend, rgb);
        QVERIFY2(drawn->problem.isEmpty(), qPrintable(drawn->problem));
        QCOMPARE(drawn->alone.size(), given->alone.size());
        for (std::size_t k = 0; k < given->alone.size(); ++k) {
            const QImage &a = given->alone[k].image, &b = drawn->alone[k].image;
            QVERIFY(!a.isNull() && a.size() == b.size());
            double off = 0.0;
            for (int y = 0; y < a.height(); ++y) {
                for (int x = 0; x < a.width(); ++x) {
                    off += std::abs(qGray(a.pixel(x, y)) - qGray(b.pixel(x, y)));
                }
            }
            QVERIFY2(off / (a.width() * a.height()) < 4.0, qPrintable(QString::number(off)));
        }
        QVERIFY(!drawn->shading.isNull());
    }

    /// The object is asked about with the pipeline, sky and noise of the result shown.
    void injectionGoesByTheResultShown() {
        QVERIFY(m_window);
        Document* document = m_window->document();
        const int before = document->currentIndex();
        Scene large = syntheticScene({700, 700}, 2, {{350.0, 350.0, 1.7, {900.0, 900.0}}});
        large.id = QStringLiteral("large");
        document->setCurrentIndex(document->addScene(std::make_shared<const Scene>(large)));
        InjectTool* tool = m_window->judge()->injection();
        InjectTool::Wish wish = tool->wish();
        wish.kind = InjectTool::Kind::Star;
        wish.magnitude = 30.0 - 2.5 * std::log10(900.0); // S/N of a hundred
        tool->setWish(wish);
        for (const double limit : {5.0, 400.0}) {
            Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold"));
            pipeline.set(QStringLiteral("threshold.DETECT_THRESH=%1").arg(limit));
            const int id = document->run(pipeline, QStringLiteral("limit %1").arg(limit));
            QVERIFY(waitFor([&] {
                const ResultEntry* e = document->resultEntry(id);
                return e && e->result && !e->running && document->currentResult() == e;
            }));
            tool->place({300.0, 352.0});
            QVERIFY(waitFor([&] { return !tool->running(); }));
            QVERIFY2(tool->answer().has_value(), qPrintable(tool->problem()));
            QCOMPARE(tool->answer()->verdict.detectedAlone, limit < 100.0);
            tool->clear();
        }
        document->cancelAll();
        QVERIFY(waitFor([&] { return !document->busy(); }));
        document->setCurrentIndex(before);
        tool->setWish(InjectTool::Wish{});
    }

    void injectionTellsItsFate() {
        QVERIFY(m_window);
        InjectPanel* panel = m_window->judge()->injectPanel();
        InjectTool* tool = m_window->judge()->injection();
        InjectTool::Wish wish = tool->wish();
        wish.magnitude = 22.0;
        tool->setWish(wish);
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("judge.inject")));
        QVERIFY(panel->placeButton()->isChecked());
        SceneView* view = m_window->viewArea()->view();
        view->fit();
        const QPointF at(80.3, 77.6);
        const QPoint from = view->toWidget(at + QPointF(6, 3)).toPoint(), to = view->toWidget(at).toPoint();
        QTest::mousePress(view, Qt::LeftButton, Qt::NoModifier, from);
        QTest::mouseMove(view, to);
        QTest::mouseRelease(view, Qt::LeftButton, Qt::NoModifier, to);
        QVERIFY(tool->place().has_value());
        QVERIFY(QLineF(*tool->place(), at).length() < 2.0);
        QVERIFY2(waitFor([&] { return !tool->running(); }), "still at work");
        QVERIFY2(tool->answer().has_value(), qPrintable(tool->problem()));
        QVERIFY(tool->answer()->known);
        QVERIFY(!panel->words().isEmpty());
        QVERIFY(std::abs(tool->answer()->verdict.x - at.x()) < 3.0);
        QCOMPARE(view->scene(), tool->answer()->scene); // it is seen where it was put
        const std::size_t scenes = m_window->document()->scenes().size();
        tool->keep();
        QCOMPARE(m_window->document()->scenes().size(), scenes + 1);
        tool->clear();
        QCOMPARE(view->scene(), m_window->document()->scene());
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("judge.inject")));
        QVERIFY(!panel->placeButton()->isChecked());
    }

    void aBinShowsItsBlends() {
        QVERIFY(m_window);
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("judge.metrics")));
        MetricsView* metrics = m_window->judge()->metrics();
        QVERIFY(metrics->isVisible());
        QVERIFY2(waitFor([&] { return metrics->settled() && metrics->metrics()->report() != nullptr; }),
                 qPrintable(metrics->metrics()->problem()));
        QVERIFY(!metrics->plots().empty());
        QCOMPARE(metrics->metrics()->report()->pipelines.size(), std::size_t(2));
        auto* list = metrics->findChild<QListWidget*>();
        QVERIFY(list);
        bool clicked = false;
        for (int row = 0; row < list->count() && !clicked; ++row) {
            list->setCurrentRow(row);
            QCoreApplication::processEvents();
            for (PlotWidget* plot : metrics->plots()) {
                (void)plot->grab(); // painted, so that its points have their places
                const auto& series = plot->plot().series;
                for (int s = 0; s < int(series.size()) && !clicked; ++s) {
                    for (int p = 0; p < int(series[std::size_t(s)].points.size()) && !clicked; ++p) {
                        if (series[std::size_t(s)].points[std::size_t(p)].members.empty()) continue;
                        const QRect at = plot->pointRect(s, p);
                        if (at.isEmpty()) continue;
                        QTest::mouseClick(plot, Qt::LeftButton, Qt::NoModifier, at.center());
                        clicked = m_window->judge()->strip()->model()->restricted();
                    }
                }
            }
        }
        QVERIFY2(clicked, "no bin led to its blends");
        QVERIFY(m_window->judge()->strip()->model()->rowCount() > 0);
        m_window->judge()->strip()->showOnly({}, {});
        QVERIFY(!m_window->judge()->strip()->model()->restricted());
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("judge.metrics")));
        QVERIFY(!metrics->isVisible());
    }

    void aFolderIsEvaluated() {
        QVERIFY(m_window);
        const QString folder = m_folder.filePath(QStringLiteral("scenes"));
        QVERIFY(QDir().mkpath(folder));
        Scene copy = *m_window->document()->scene();
        for (const char* id : {"one", "two", "bare"}) {
            copy.id = QLatin1String(id);
            if (copy.id == QLatin1String("bare")) copy.truth.reset(); // does not count
            writeScene(copy, folder + QLatin1Char('/') + copy.id + QStringLiteral(".fits"));
        }
        EvaluateDialog dialog({{QStringLiteral("t"), Pipeline::parse(QStringLiteral("threshold"))}});
        dialog.setFolder(folder);
        Evaluation::Wish wish = dialog.wish();
        QCOMPARE(wish.folder, folder);
        wish.judge = false;
        wish.worst = 1;
        Evaluation* evaluation = m_window->judge()->metrics()->evaluation();
        evaluation->start(wish);
        QVERIFY(waitFor([&] { return !evaluation->running(); }, 120000));
        QVERIFY2(evaluation->report() != nullptr, qPrintable(m_window->messages()->text()));
        QCOMPARE(QSet<QString>(evaluation->report()->scenes.begin(), evaluation->report()->scenes.end()),
                 (QSet<QString>{QStringLiteral("one"), QStringLiteral("two")}));
        Progress progress;
        QCOMPARE(evaluation->source()(1, progress)->id, evaluation->report()->scenes[1]);
        evaluation->clear();
    }

    void manyScenesAreEvaluated() {
        QVERIFY(m_window);
        m_window->showMetrics(true);
        Evaluation* evaluation = m_window->judge()->metrics()->evaluation();
        Evaluation::Wish wish;
        wish.recipe = m_recipe;
        wish.scenes = 2;
        wish.seed = 5;
        wish.pipelines = SettingsComparison::contrasts();
        evaluation->start(wish);
        QVERIFY(evaluation->running());
        QVERIFY(waitFor([&] { return !evaluation->running(); }, 120000));
        QVERIFY2(evaluation->report() != nullptr, qPrintable(m_window->messages()->text()));
        QCOMPARE(evaluation->report()->scenes.size(), 2);
        // The saved page shows the worst blends.
        QVERIFY(!evaluation->failures().empty());
        QVERIFY(!evaluation->failures().front().image.isNull());
        QCOMPARE(m_window->judge()->metrics()->report(), evaluation->report());
        // A bin leads to its scenes, which come beside what is open.
        Document* document = m_window->document();
        const int before = document->currentIndex();
        const std::size_t open = document->scenes().size();
        const auto& objects = evaluation->report()->pipelines[1].objects;
        std::vector<int> members;
        for (int i = 0; i < int(objects.size()); ++i) {
            members.push_back(i);
        }
        QVERIFY(!members.empty());
        BinScenes* bin = m_window->judge()->metrics()->binScenes();
        bin->show(1, members, QStringLiteral("all"));
        QCOMPARE(bin->count(), 2);
        QVERIFY2(waitFor([&] { return !bin->running(); }, 120000), qPrintable(m_window->messages()->text()));
        QCOMPARE(document->scenes().size(), open + 1);
        const QString first = document->scene()->id;
        QVERIFY(evaluation->report()->scenes.contains(first));
        QCOMPARE(document->currentResult()->name, wish.pipelines[1].first);
        QVERIFY(m_window->judge()->strip()->model()->restricted());
        QVERIFY(m_window->judge()->strip()->model()->rowCount() > 0);
        bin->step(1);
        QVERIFY2(waitFor([&] { return !bin->running(); }, 120000), qPrintable(m_window->messages()->text()));
        QCOMPARE(document->scenes().size(), open + 2);
        QVERIFY(document->scene()->id != first);
        bin->step(1);
        QVERIFY2(waitFor([&] { return !bin->running(); }, 120000), qPrintable(m_window->messages()->text()));
        QCOMPARE(document->scenes().size(), open + 2);
        QCOMPARE(document->scene()->id, first);
        QVERIFY(m_window->judge()->metrics()->report() == evaluation->report());
        document->setCurrentIndex(before);
        const QString page = m_folder.filePath(QStringLiteral("report.html"));
        m_window->judge()->metrics()->saveReport(page);
        QVERIFY(waitFor([&] { return !m_window->document()->busy(); }));
        QVERIFY(QFileInfo(page).size() > 2000);
        wish.scenes = 1000;
        evaluation->start(wish);
        QVERIFY(waitFor([&] { return m_window->document()->activeJobs().front()->progress().total == 1000; }));
        evaluation->cancel();
        QVERIFY(waitFor([&] { return !evaluation->running(); }, 20000));
        evaluation->clear();
        m_window->showMetrics(false);
    }

    void figuresAreSavedAndTheTableTellsOutcomes() {
        QVERIFY(m_window);
        QVERIFY(m_window->judge()->controller()->selectedBlend() > 0);
        for (const char* name : {"judged.png", "judged.svg"}) {
            const QString path = m_folder.filePath(QLatin1String(name));
            m_window->saveFigure(path);
            QVERIFY(waitFor([&] { return !m_window->document()->busy(); }));
            QVERIFY2(QFileInfo(path).size() > 3000, qPrintable(m_window->messages()->text()));
        }
        const QImage figure(m_folder.filePath(QStringLiteral("judged.png")));
        QVERIFY(figure.width() > 600 && figure.height() > 200);
        ResultModel* table = m_window->blends()->model();
        bool any = false;
        for (int row = 0; row < table->rowCount() && !any; ++row) {
            any = !table->data(table->index(row, ResultModel::Fate)).toString().isEmpty();
        }
        QVERIFY(any);
    }

    void withoutTruthOutcomesAreSuspected() {
        auto window = makeWindow();
        QVERIFY(window);
        // The same sky without its truth: two settings that disagree are evidence.
        auto scene = std::make_shared<Scene>(*m_window->document()->scenes().front().scene);
        scene->truth.reset();
        window->setMode(MainWindow::Mode::Judge);
        window->document()->addScene(scene);
        auto loose = Pipeline::parse(QStringLiteral("threshold"));
        auto strict = loose;
        strict.set(QStringLiteral("threshold.DETECT_THRESH=1000"));
        window->judge()->comparison()->onScene({{QStringLiteral("deep"), loose}, {QStringLiteral("shallow"), strict}});
        const auto done = [&] {
            const SceneEntry* s = window->document()->current();
            return s && s->results.size() == 2 && window->judge()->controller()->judgement(s->results[0]->id) &&
                   window->judge()->controller()->judgement(s->results[1]->id) && !window->document()->busy();
        };
        QVERIFY2(waitFor(done), qPrintable(window->messages()->text()));
        QVERIFY(window->judge()->controller()->suspected());
        OutcomePanel* strip = window->judge()->strip();
        // A result is judged once more when there is a second to hold it against.
        QVERIFY2(waitFor([&] { return strip->model()->rowCount() > 0; }), qPrintable(window->messages()->text()));
        QVERIFY(strip->model()->data(strip->model()->index(0), OutcomeModel::SuspectedRole).toBool());
        strip->step(1);
        const int blend = window->judge()->controller()->selectedBlend();
        QVERIFY(blend > 0);
        QVERIFY(!window->judge()->controller()->evidence(blend).empty());
        QVERIFY(window->judge()->inspector()->words().contains(QStringLiteral("suspected")));
        QVERIFY(window->judge()->inspector()->words().contains(QStringLiteral("disagreement")) ||
                window->judge()->inspector()->words().contains(QStringLiteral("residual")));
    }

    /// Results are opened with their scene or by themselves, several at once.
    void resultFoldersBringTheirScene() {
        QVERIFY(m_window);
        const ScenePtr scene = m_window->document()->scene();
        const QString path = m_folder.filePath(QStringLiteral("again.fits"));
        writeScene(*scene, path);
        QStringList folders;
        {
            auto window = makeWindow();
            QVERIFY(window);
            window->open({path});
            QVERIFY(waitFor([&] { return window->document()->scene() && !window->document()->busy(); }));
            for (const char* contrast : {"0.005", "0.0005"}) {
                Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold"));
                pipeline.set(QStringLiteral("threshold.DEBLEND_MINCONT=") + QLatin1String(contrast));
                window->document()->run(pipeline);
                QVERIFY(waitFor([&] { return !window->document()->busy(); }));
                folders << m_folder.filePath(QLatin1String(contrast));
                window->document()->saveResult(folders.last());
                QVERIFY(waitFor([&] { return !window->document()->busy(); }));
            }
        }
        for (const QStringList& paths : {QStringList{path} + folders, folders}) {
            auto window = makeWindow();
            QVERIFY(window);
            window->open(paths);
            const auto done = [&] {
                const SceneEntry* s = window->document()->current();
                return s && s->results.size() == 2 && !window->document()->busy();
            };
            QVERIFY2(waitFor(done), qPrintable(window->messages()->text()));
            QCOMPARE(window->document()->scenes().size(), std::size_t(1));
        }
    }

    /// A sharper image of the same sky that is open and was run says what the other one merges.
    void aSharperSceneIsEvidence() {
        auto window = makeWindow();
        QVERIFY(window);
        window->setMode(MainWindow::Mode::Judge);
        Document* document = window->document();
        const std::vector<test::Blob> narrow = {{45, 48, 1.0, {9000, 9000}}, {49, 48, 1.0, {7000, 7000}}};
        const std::vector<test::Blob> wide = {{45, 48, 3.0, {9000, 9000}}, {49, 48, 3.0, {7000, 7000}}};
        auto sharp = std::make_shared<Scene>(test::syntheticScene({96, 96}, 2, narrow, 1.0, 2.3));
        sharp->id = QStringLiteral("sharp");
        auto blurred = std::make_shared<Scene>(test::syntheticScene({96, 96}, 2, wide, 1.0, 7.0));
        blurred->id = QStringLiteral("blurred");
        Pipeline pipeline = Pipeline::parse(QStringLiteral("threshold"));
        pipeline.set(QStringLiteral("threshold.SHARPEN=false"));
        for (const auto& scene : {sharp, blurred}) {
            document->setCurrentIndex(document->addScene(scene));
            document->run(pipeline);
            QVERIFY2(waitFor([&] { return document->result() && !document->busy(); }),
                     qPrintable(window->messages()->text()));
        }
        QCOMPARE(document->result()->objects.size(), std::size_t(1));
        QVERIFY(waitFor([&] { return window->judge()->controller()->current() && !document->busy(); }));
        int seen = 0;
        for (const Suspicion& s : window->judge()->controller()->evidence(1)) {
            seen += s.evidence == Evidence::Reference && s.source == QLatin1String("sharp") &&
                    s.outcome == Outcome::Unrecognized;
        }
        QCOMPARE(seen, 1);
    }

    /// What became of an object that was put beside another is evidence about that one.
    void anInjectionIsEvidence() {
        auto window = makeWindow();
        QVERIFY(window);
        window->setMode(MainWindow::Mode::Judge);
        Document* document = window->document();
        auto scene =
            std::make_shared<Scene>(test::syntheticScene({96, 96}, 2, {{45, 48, 1.7, {9000, 9000}}}, 1.0, 4.0));
        scene->id = QStringLiteral("alone");
        document->setCurrentIndex(document->addScene(scene));
        const int id = document->run(Pipeline::parse(QStringLiteral("threshold")));
        JudgeController* judge = window->judge()->controller();
        QVERIFY2(waitFor([&] { return judge->judgement(id) && !document->busy(); }),
                 qPrintable(window->messages()->text()));
        const auto ofInjections = [&] {
            int n = 0;
            for (const Suspicion& s : judge->entry(id)->suspicions) {
                n += s.evidence == Evidence::Injection && s.outcome == Outcome::Unrecognized;
            }
            return n;
        };
        QCOMPARE(ofInjections(), 0);
        InjectTool* tool = window->judge()->injection();
        InjectTool::Wish wish;
        wish.kind = InjectTool::Kind::Star;
        wish.magnitude = 30.0 - 2.5 * std::log10(3000.0);
        tool->setWish(wish);
        tool->place({46.5, 48.0});
        QVERIFY(waitFor([&] { return !tool->running() && !document->busy(); }));
        QVERIFY2(tool->answer().has_value(), qPrintable(tool->problem()));
        QCOMPARE(tool->answer()->resultId, id);
        QCOMPARE(tool->answer()->verdict.outcome, Outcome::Unrecognized);
        QVERIFY(waitFor([&] { return !judge->running(); }));
        QCOMPARE(ofInjections(), 1);
        // Far from everything it says nothing.
        tool->place({80.0, 15.0});
        QVERIFY(waitFor([&] { return !tool->running() && !document->busy() && !judge->running(); }));
        QCOMPARE(ofInjections(), 1);
        tool->clear();
        QCOMPARE(ofInjections(), 1); // it stays known when the object is gone
    }

    /// A judgement that lies in the result's folder is taken where it is one of this scene and result.
    void aJudgementOnFileIsTaken() {
        QVERIFY(m_window);
        const QString path = m_folder.filePath(QStringLiteral("judged.fits")),
                      folder = m_folder.filePath(QStringLiteral("judged"));
        writeScene(*m_window->document()->scenes().front().scene, path);
        Judgement judgement;
        {
            auto window = makeWindow();
            QVERIFY(window);
            window->setMode(MainWindow::Mode::Judge);
            window->open({path});
            QVERIFY(waitFor([&] { return window->document()->scene() && !window->document()->busy(); }));
            const int id = window->document()->run(Pipeline::parse(QStringLiteral("threshold")));
            QVERIFY(
                waitFor([&] { return window->judge()->controller()->judgement(id) && !window->document()->busy(); }));
            judgement = *window->judge()->controller()->judgement(id);
            window->document()->saveResult(folder);
            QVERIFY(waitFor([&] { return !window->document()->busy(); }));
        }
        QVERIFY(!judgement.objects.empty());
        const QString mark = QStringLiteral("as the file says");
        for (const bool fits : {true, false}) {
            Judgement written = judgement;
            written.objects.front().words = mark;
            if (!fits) written.detections.pop_back(); // of a result that found one less
            QFile file(folder + QStringLiteral("/judgement.json"));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(QJsonDocument(toJson(written)).toJson());
            file.close();
            auto window = makeWindow();
            QVERIFY(window);
            window->setMode(MainWindow::Mode::Judge);
            window->open({path, folder});
            QVERIFY2(waitFor([&] { return window->judge()->controller()->current() && !window->document()->busy(); }),
                     qPrintable(window->messages()->text()));
            const JudgementPtr read = window->judge()->controller()->current();
            QCOMPARE(read->objects.size(), judgement.objects.size());
            QCOMPARE(read->objects.front().words == mark, fits);
            QCOMPARE(read->detections.size(), judgement.detections.size());
        }
    }

    void scenesWithoutTruthSaySo() {
        auto window = makeWindow();
        QVERIFY(window);
        auto scene = std::make_shared<Scene>(*emptyScene({60, 60}));
        scene->truth.reset();
        window->document()->addScene(scene);
        window->setMode(MainWindow::Mode::Judge);
        QVERIFY(window->judge()->controller()->obstacle().contains(QStringLiteral("no truth")));
        QVERIFY(!window->actionRegistry()->trigger(QStringLiteral("judge.run")));
        window->document()->closeScene(0);
        QVERIFY(window->startPageShown());
    }
};

int main(int argc, char** argv) {
    SceneView::prepareOpenGL();
    QApplication app(argc, argv);
    TestJudge test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_Judge.moc"
