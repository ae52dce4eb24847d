#pragma once

#include "document/Document.h"
#include "judge/Judgement.h"
#include "simulate/Galaxy.h"

#include <QObject>
#include <QPointF>
#include <memory>
#include <optional>

namespace blendscope {

/// "What would happen to this galaxy here?": puts an object into the scene shown, detects on its surroundings with the
/// pipeline of the result shown, under its sky, noise and weights of bands (measured anew where there is no result),
/// and judges that one object. Nothing of the scene itself changes.
class InjectTool final : public QObject {
    Q_OBJECT

public:
    enum class Kind { Young, Old, Star };
    struct Wish {
        Kind kind = Kind::Young;
        double magnitude = 23.5; ///< i-like, AB
        double hlrArcsec = 0.5;  ///< of a galaxy
        double axisRatio = 0.7;
        double angle = 30.0; ///< deg from +x towards +y
        friend bool operator==(const Wish&, const Wish&) = default;
    };
    /// What came of it.
    struct Answer {
        QPointF at;
        ScenePtr scene;       ///< the whole scene with the object in it
        TruthVerdict verdict; ///< of the object, scene pixels
        Box box;              ///< of its blend, scene pixels
        bool known = false;   ///< it could be judged
        QString words;        ///< a sentence or two
        int resultId = -1;    ///< the result under whose conditions and pipeline it was asked; -1 = none
    };

    explicit InjectTool(Document* document, QObject* parent = nullptr);

    [[nodiscard]] const Wish& wish() const { return m_wish; }
    void setWish(const Wish& wish); ///< and asks again where something was placed
    /// For scenes without a result.
    void setPipeline(const Pipeline& pipeline) { m_pipeline = pipeline; }
    /// Places the object, image coordinates; the answer comes with `changed`. A newer place cancels the older.
    void place(QPointF at);
    void clear(); ///< takes it away
    [[nodiscard]] std::optional<QPointF> place() const { return m_at; }
    [[nodiscard]] const std::optional<Answer>& answer() const { return m_answer; }
    [[nodiscard]] bool running() const { return m_job != nullptr; }
    [[nodiscard]] QString problem() const { return m_problem; }
    /// The scene with the object becomes one of the document's.
    void keep();

Q_SIGNALS:
    void changed();
    void answered(); ///< once for every answer

private:
    void start();

    Document* m_document;
    Wish m_wish;
    Pipeline m_pipeline;
    std::optional<QPointF> m_at;
    std::optional<Answer> m_answer;
    JobPtr m_job;
    QString m_problem;
    int m_request = 0;
};

} // namespace blendscope
