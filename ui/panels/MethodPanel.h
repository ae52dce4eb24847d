#pragma once

#include "method/Pipeline.h"

#include <QMap>
#include <QWidget>
#include <memory>

class QComboBox;
class QLabel;
class QSpinBox;
class QVBoxLayout;

namespace blendscope {

class ParameterForm;

/// Puts a pipeline together stage by stage, with the parameters of each method.
class MethodPanel final : public QWidget {
    Q_OBJECT

public:
    explicit MethodPanel(QWidget* parent = nullptr);
    void setRegistry(std::shared_ptr<const Registry> registry);
    /// What Run would run; no stages while no method is known.
    [[nodiscard]] Pipeline pipeline() const;
    void setPipeline(const Pipeline& pipeline);
    /// Pipelines that make sense with what is installed, the best first: "threshold+factorize".
    [[nodiscard]] QStringList suggestions() const;
    /// Why the chosen pipeline cannot run; empty if it can.
    [[nodiscard]] QString problem() const;

Q_SIGNALS:
    void pipelineChanged();

private:
    void refreshForms();
    void fill(QComboBox* box, const QString& stage, const QString& none);

    std::shared_ptr<const Registry> m_registry;
    QComboBox* m_detect;
    QComboBox* m_deblend;
    QComboBox* m_measure;
    QLabel* m_measureLabel;
    QSpinBox* m_rounds;
    QVBoxLayout* m_forms;
    QMap<QString, QJsonObject> m_values; ///< of methods that are not in the pipeline now
    std::vector<std::pair<QString, ParameterForm*>> m_shown;
    QLabel* m_problem;
};

} // namespace blendscope
