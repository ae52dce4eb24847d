#include "train/TrainSession.h"

#include "figure/TrainingCurves.h"
#include "method/Registry.h"

#include <QThread>
#include <algorithm>
#include <mutex>

namespace blendscope {

namespace {
constexpr int kPollMs = 250;
} // namespace

struct TrainSession::Live {
    std::mutex mutex;
    std::vector<TrainingPoint> points; ///< not collected yet
    QImage picture;
    QString warning;
    TrainingOutcome outcome;
};

TrainSession::TrainSession(Document* document, QObject* parent) : QObject(parent), m_document(document) {
    m_timer.setInterval(kPollMs);
    connect(&m_timer, &QTimer::timeout, this, &TrainSession::collect);
}

Progress::Snapshot TrainSession::progress() const {
    return m_job ? m_job->progress() : Progress::Snapshot();
}

void TrainSession::start(const Wish& wish) {
    const auto registry = m_document->registry();
    if (m_job || !registry) return;
    m_wish = wish;
    m_curves.clear();
    m_picture = {};
    m_words.clear();
    m_stopping = false;
    const auto live = std::make_shared<Live>();
    m_live = live;
    TrainingRequest request;
    request.recipe = wish.recipe;
    request.out = wish.out;
    request.resume = wish.resume;
    request.labels = wish.labels;
    // The window keeps a processor for itself.
    request.threads = std::max(1, QThread::idealThreadCount() - 1);
    const QString method = wish.method;
    m_job = m_document->start(
        tr("Training %1").arg(method),
        [live, registry, request, method](Progress& progress) {
            TrainingRequest own = request;
            own.folder = registry->find(method) ? registry->find(method)->folder : QString();
            TrainingContext context;
            context.progress = &progress;
            std::vector<TrainingPoint> all;
            context.point = [&](const TrainingPoint& point) {
                all.push_back(point);
                const std::lock_guard lock(live->mutex);
                live->points.push_back(point);
            };
            context.picture = [live](const cv::Mat& rgb) {
                const QImage image(rgb.data, rgb.cols, rgb.rows, static_cast<qsizetype>(rgb.step),
                                   QImage::Format_RGB888);
                const std::lock_guard lock(live->mutex);
                live->picture = image.copy();
            };
            context.warn = [live](const QString& sentence) {
                const std::lock_guard lock(live->mutex);
                live->warning = sentence;
            };
            const TrainingOutcome outcome = registry->createTrainable(method)->train(own, context);
            if (!all.empty()) saveTrainingCurves(own.out + QStringLiteral("/curves.svg"), all, outcome.headline);
            const std::lock_guard lock(live->mutex);
            live->outcome = outcome;
        },
        [this, live](const Job& job) {
            if (m_job.get() != &job) return;
            collect();
            m_job.reset();
            m_timer.stop();
            const TrainingOutcome& outcome = live->outcome;
            m_headline = outcome.headline;
            if (job.state() == Job::State::Failed) {
                m_words = job.error();
                Q_EMIT m_document->message(Document::Severity::Error, tr("Training stopped: %1").arg(job.error()));
            } else if (outcome.stopped) {
                m_words = tr("Stopped at step %1; a checkpoint is in %2.").arg(outcome.steps).arg(m_wish.out);
            } else {
                m_words = tr("Done after %1 steps: %2 %3. The model is in %4: give this folder as MODEL to use it.")
                              .arg(outcome.steps)
                              .arg(outcome.headline)
                              .arg(outcome.metrics.value(outcome.headline), 0, 'g', 4)
                              .arg(m_wish.out);
                Q_EMIT m_document->message(Document::Severity::Notice, m_words);
            }
            m_stopping = false;
            Q_EMIT changed();
        });
    m_timer.start();
    Q_EMIT changed();
}

void TrainSession::stop() {
    if (!m_job) return;
    m_stopping = true;
    m_job->cancel();
    Q_EMIT changed();
}

void TrainSession::collect() {
    if (!m_live) return;
    {
        const std::lock_guard lock(m_live->mutex);
        m_curves.insert(m_curves.end(), m_live->points.begin(), m_live->points.end());
        m_live->points.clear();
        m_picture = m_live->picture;
        if (!m_live->warning.isEmpty()) m_words = m_live->warning;
    }
    Q_EMIT changed();
}

void TrainSession::requestRecipe(const QString& method) {
    const auto registry = m_document->registry();
    if (!registry) return;
    const auto recipe = std::make_shared<QJsonObject>();
    m_document->start(
        tr("Reading the recipe of %1").arg(method),
        [recipe, registry, method](Progress&) { *recipe = registry->createTrainable(method)->defaultRecipe(); },
        [this, recipe, method](const Job& job) {
            if (job.state() == Job::State::Failed) {
                m_words = job.error();
                Q_EMIT changed();
            } else if (job.state() == Job::State::Finished) {
                Q_EMIT recipeReady(method, *recipe);
            }
        });
}

} // namespace blendscope
