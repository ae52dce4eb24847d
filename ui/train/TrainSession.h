#pragma once

#include "document/Document.h"
#include "method/Training.h"

#include <QImage>
#include <QObject>
#include <QTimer>
#include <memory>
#include <vector>

namespace blendscope {

/// One training at a time, as a job of the document: curves and sample predictions arrive here at most four times a
/// second. Closing the document stops it as the stop button does: a checkpoint is written first.
class TrainSession final : public QObject {
    Q_OBJECT

public:
    struct Wish {
        QString method;
        QJsonObject recipe;
        QString out; ///< folder of the model
        bool resume = false;
        QString labels;
    };

    explicit TrainSession(Document* document, QObject* parent = nullptr);

    void start(const Wish& wish); ///< does nothing while one runs
    void stop();                  ///< writes a checkpoint first; resumable
    [[nodiscard]] bool running() const { return m_job != nullptr; }
    [[nodiscard]] bool stopping() const { return m_stopping; }
    [[nodiscard]] const Wish& wish() const { return m_wish; }
    [[nodiscard]] Progress::Snapshot progress() const;

    [[nodiscard]] const std::vector<TrainingPoint>& curves() const { return m_curves; }
    [[nodiscard]] const QImage& picture() const { return m_picture; }
    [[nodiscard]] const QString& headline() const { return m_headline; } ///< the metric that decides, once known
    [[nodiscard]] const QString& words() const { return m_words; }       ///< how it ended, a sentence; or a warning

    /// The complete default recipe of a method, read in the background (its module loads LibTorch).
    void requestRecipe(const QString& method);

Q_SIGNALS:
    void changed(); ///< something new to show
    void recipeReady(const QString& method, const QJsonObject& recipe);

private:
    struct Live; // what the training's thread has left for ours
    void collect();

    Document* m_document;
    JobPtr m_job;
    std::shared_ptr<Live> m_live;
    QTimer m_timer;
    Wish m_wish;
    bool m_stopping = false;
    std::vector<TrainingPoint> m_curves;
    QImage m_picture;
    QString m_headline, m_words;
};

} // namespace blendscope
