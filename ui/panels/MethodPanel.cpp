#include "panels/MethodPanel.h"

#include "panels/ParameterForm.h"
#include "theme/Theme.h"

#include <QComboBox>
#include <QFormLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

namespace blendscope {

MethodPanel::MethodPanel(QWidget* parent)
    : QWidget(parent), m_detect(new QComboBox), m_deblend(new QComboBox), m_measure(new QComboBox),
      m_measureLabel(new QLabel(tr("Measure"))), m_rounds(new QSpinBox), m_forms(new QVBoxLayout),
      m_problem(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 8);
    layout->setSpacing(6);
    auto* stages = new QFormLayout;
    stages->setContentsMargins(0, 0, 0, 0);
    stages->setVerticalSpacing(4);
    stages->addRow(tr("Detect"), m_detect);
    stages->addRow(tr("Deblend"), m_deblend);
    stages->addRow(m_measureLabel, m_measure);
    m_rounds->setRange(0, 10);
    m_rounds->setSpecialValueText(tr("none"));
    m_rounds->setAlignment(Qt::AlignRight);
    m_rounds->setToolTip(tr("Rounds of: subtract the models, detect in the residual, deblend again"));
    stages->addRow(tr("Residual rounds"), m_rounds);
    layout->addLayout(stages);
    m_problem->setWordWrap(true);
    m_problem->hide();
    layout->addWidget(m_problem);
    m_forms->setSpacing(8);
    layout->addLayout(m_forms);
    for (QComboBox* box : {m_detect, m_deblend, m_measure}) {
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            refreshForms();
            Q_EMIT pipelineChanged();
        });
    }
    connect(m_rounds, &QSpinBox::valueChanged, this, &MethodPanel::pipelineChanged);
    m_measureLabel->hide();
    m_measure->hide();
}

void MethodPanel::fill(QComboBox* box, const QString& stage, const QString& none) {
    const QSignalBlocker block(box);
    const QString before = box->currentData().toString();
    box->clear();
    if (!none.isEmpty()) box->addItem(none, QString());
    for (const MethodInfo& m : m_registry->methods()) {
        if (!m.does(stage)) continue;
        // One that only comes after detection has its own line.
        if (stage == QLatin1String("measure") &&
            (m.does(QStringLiteral("detect")) || m.does(QStringLiteral("deblend"))))
            continue;
        box->addItem(m.id, m.id);
        const QString tip = m.problem.isEmpty() ? m.title + QLatin1Char('\n') + m.description : m.problem;
        box->setItemData(box->count() - 1, tip, Qt::ToolTipRole);
    }
    box->setCurrentIndex(std::max(0, box->findData(before)));
}

void MethodPanel::setRegistry(std::shared_ptr<const Registry> registry) {
    m_registry = std::move(registry);
    fill(m_detect, QStringLiteral("detect"), {});
    fill(m_deblend, QStringLiteral("deblend"), tr("none"));
    fill(m_measure, QStringLiteral("measure"), tr("as built in"));
    m_measure->setVisible(m_measure->count() > 1);
    m_measureLabel->setVisible(m_measure->count() > 1);
    const QStringList best = suggestions();
    if (!best.isEmpty()) {
        try {
            setPipeline(Pipeline::parse(best.first()));
        } catch (const Error&) {
            refreshForms();
        }
    } else {
        refreshForms();
        Q_EMIT pipelineChanged();
    }
}

QStringList MethodPanel::suggestions() const {
    QStringList names;
    if (!m_registry) return names;
    QStringList detectors, deblenders;
    for (const MethodInfo& m : m_registry->methods()) {
        if (!m.problem.isEmpty()) continue;
        if (m.does(QStringLiteral("detect"))) detectors << m.id;
        if (m.does(QStringLiteral("deblend"))) deblenders << m.id;
    }
    const auto first = [](QStringList& list, const QString& id) {
        if (list.removeOne(id)) list.prepend(id);
    };
    first(detectors, QStringLiteral("threshold"));
    first(deblenders, QStringLiteral("partition"));
    first(deblenders, QStringLiteral("factorize"));
    for (const QString& d : detectors) {
        for (const QString& b : deblenders) {
            names << (d == b ? d : d + QLatin1Char('+') + b);
        }
        if (!deblenders.contains(d)) names << d;
    }
    names.removeDuplicates();
    return names;
}

Pipeline MethodPanel::pipeline() const {
    Pipeline p;
    for (const auto& [id, form] : m_shown) {
        p.stages.push_back({id, form->values()});
    }
    p.residualIterations = m_rounds->value();
    return p;
}

void MethodPanel::setPipeline(const Pipeline& pipeline) {
    if (!m_registry) return;
    {
        const QSignalBlocker a(m_detect), b(m_deblend), c(m_measure), d(m_rounds);
        m_deblend->setCurrentIndex(0);
        if (m_measure->count() > 0) m_measure->setCurrentIndex(0);
        for (const Pipeline::Stage& stage : pipeline.stages) {
            const int detect = m_detect->findData(stage.method), deblend = m_deblend->findData(stage.method),
                      measure = m_measure->findData(stage.method);
            if (detect >= 0) m_detect->setCurrentIndex(detect);
            if (deblend > 0) m_deblend->setCurrentIndex(deblend);
            if (measure > 0) m_measure->setCurrentIndex(measure);
            if (!stage.parameters.isEmpty()) m_values[stage.method] = stage.parameters;
        }
        m_rounds->setValue(pipeline.residualIterations);
    }
    refreshForms();
    for (const Pipeline::Stage& stage : pipeline.stages) {
        for (const auto& [id, form] : m_shown) {
            if (id == stage.method && !stage.parameters.isEmpty()) form->setValues(stage.parameters);
        }
    }
    Q_EMIT pipelineChanged();
}

void MethodPanel::refreshForms() {
    QStringList wanted;
    for (const QComboBox* box : {m_detect, m_deblend, m_measure}) {
        const QString id = box->currentData().toString();
        if (!id.isEmpty() && !wanted.contains(id)) wanted << id;
    }
    QStringList now;
    for (const auto& [id, form] : m_shown) {
        now << id;
    }
    if (wanted != now) {
        for (const auto& [id, form] : m_shown) {
            m_values[id] = form->values();
        }
        m_shown.clear();
        while (QLayoutItem* item = m_forms->takeAt(0)) {
            delete item->widget();
            delete item;
        }
        for (const QString& id : wanted) {
            const MethodInfo* info = m_registry ? m_registry->find(id) : nullptr;
            if (!info) continue;
            auto* title =
                new QLabel(QStringLiteral("<b>%1</b>").arg(info->title.isEmpty() ? id : info->title.toHtmlEscaped()));
            m_forms->addWidget(title);
            auto* form = new ParameterForm(*info);
            form->setValues(m_values.value(id));
            connect(form, &ParameterForm::edited, this, &MethodPanel::pipelineChanged);
            m_forms->addWidget(form);
            m_shown.emplace_back(id, form);
        }
    }
    const QString why = problem();
    m_problem->setText(why);
    m_problem->setVisible(!why.isEmpty());
}

QString MethodPanel::problem() const {
    if (!m_registry) return {};
    if (m_detect->count() == 0) {
        return tr("No method that detects is installed. Looked in: %1")
            .arg(Registry::defaultFolders().join(QStringLiteral(", ")));
    }
    for (const auto& [id, form] : m_shown) {
        const MethodInfo* info = m_registry->find(id);
        if (info && !info->problem.isEmpty()) return QStringLiteral("%1: %2").arg(id, info->problem);
    }
    return {};
}

} // namespace blendscope
