#include "panels/ParameterForm.h"

#include "theme/Icons.h"
#include "theme/Theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

/// A number field that shows as few digits as it needs and leaves the wheel to the panel until it has the focus.
class RealField final : public QDoubleSpinBox {
public:
    RealField() {
        setDecimals(9);
        setFocusPolicy(Qt::StrongFocus);
        setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
        setKeyboardTracking(false);
        setAlignment(Qt::AlignRight);
    }
    QString textFromValue(double v) const override { return locale().toString(v, 'g', 6); }

protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QDoubleSpinBox::wheelEvent(event) : event->ignore(); }
};

class WholeField final : public QSpinBox {
public:
    WholeField() {
        setFocusPolicy(Qt::StrongFocus);
        setKeyboardTracking(false);
        setAlignment(Qt::AlignRight);
    }

protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QSpinBox::wheelEvent(event) : event->ignore(); }
};

QString tipOf(const ParameterInfo& info) {
    QString tip = QStringLiteral("<b>%1</b><br>%2").arg(info.key.toHtmlEscaped(), info.help.toHtmlEscaped());
    QString range;
    if (info.minimum.isValid() && info.maximum.isValid()) {
        range = ParameterForm::tr("%1 to %2").arg(info.minimum.toString(), info.maximum.toString());
    } else if (info.minimum.isValid()) {
        range = ParameterForm::tr("from %1").arg(info.minimum.toString());
    } else if (info.maximum.isValid()) {
        range = ParameterForm::tr("up to %1").arg(info.maximum.toString());
    }
    tip += QStringLiteral("<br>");
    if (!range.isEmpty()) tip += ParameterForm::tr("Range %1; ").arg(range.toHtmlEscaped());
    tip +=
        ParameterForm::tr("default %1 %2").arg(info.defaultValue.toString().toHtmlEscaped(), info.unit.toHtmlEscaped());
    return tip;
}

} // namespace

ParameterForm::ParameterForm(const MethodInfo& method, QWidget* parent) : QWidget(parent) {
    for (const ParameterInfo& info : method.parameters) {
        m_fields.push_back({info, nullptr, nullptr, {}, {}});
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    auto* description = new QLabel(method.description);
    description->setWordWrap(true);
    description->setFont(Theme::smallFont());
    description->setToolTip(method.citation);
    if (!method.description.isEmpty()) layout->addWidget(description);

    const auto page = [this, layout](bool advanced) -> QWidget* {
        if (std::none_of(m_fields.begin(), m_fields.end(),
                         [=](const Field& f) { return f.info.advanced == advanced; })) {
            return nullptr;
        }
        auto* body = new QWidget;
        auto* form = new QFormLayout(body);
        form->setContentsMargins(0, 0, 0, 0);
        form->setVerticalSpacing(3);
        form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
        form->setRowWrapPolicy(QFormLayout::DontWrapRows);
        for (Field& field : m_fields) {
            if (field.info.advanced != advanced) continue;
            QWidget* line = makeLine(field);
            auto* label = new QLabel(field.info.title.isEmpty() ? field.info.key : field.info.title);
            label->setToolTip(tipOf(field.info));
            label->setBuddy(field.editor);
            label->setWordWrap(true);
            form->addRow(label, line);
        }
        layout->addWidget(body);
        return body;
    };
    page(false);
    if (std::any_of(m_fields.begin(), m_fields.end(), [](const Field& f) { return f.info.advanced; })) {
        auto* more = new QToolButton;
        more->setText(tr("Advanced"));
        more->setIcon(themeIcon(QStringLiteral("right")));
        more->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        more->setAutoRaise(true);
        more->setCheckable(true);
        layout->addWidget(more);
        QWidget* body = page(true);
        body->hide();
        connect(more, &QToolButton::toggled, this, [more, body](bool open) {
            body->setVisible(open);
            more->setIcon(themeIcon(open ? QStringLiteral("down") : QStringLiteral("right")));
        });
    }
    refreshResets();
}

QWidget* ParameterForm::makeLine(Field& field) {
    const ParameterInfo& info = field.info;
    const auto changed = [this] {
        refreshResets();
        Q_EMIT edited();
    };
    switch (info.type) {
    case ParameterInfo::Type::Real: {
        auto* box = new RealField;
        box->setRange(info.minimum.isValid() ? info.minimum.toDouble() : -1e9,
                      info.maximum.isValid() ? info.maximum.toDouble() : 1e9);
        if (!info.unit.isEmpty()) box->setSuffix(QLatin1Char(' ') + info.unit);
        field.get = [box] { return QVariant(box->value()); };
        field.set = [box](const QVariant& v) { box->setValue(v.toDouble()); };
        field.set(info.defaultValue);
        connect(box, &QDoubleSpinBox::valueChanged, this, changed);
        field.editor = box;
        break;
    }
    case ParameterInfo::Type::Integer: {
        auto* box = new WholeField;
        box->setRange(info.minimum.isValid() ? info.minimum.toInt() : -1000000000,
                      info.maximum.isValid() ? info.maximum.toInt() : 1000000000);
        if (!info.unit.isEmpty()) box->setSuffix(QLatin1Char(' ') + info.unit);
        field.get = [box] { return QVariant(box->value()); };
        field.set = [box](const QVariant& v) { box->setValue(v.toInt()); };
        field.set(info.defaultValue);
        connect(box, &QSpinBox::valueChanged, this, changed);
        field.editor = box;
        break;
    }
    case ParameterInfo::Type::Boolean: {
        auto* box = new QCheckBox;
        field.get = [box] { return QVariant(box->isChecked()); };
        field.set = [box](const QVariant& v) { box->setChecked(v.toBool()); };
        field.set(info.defaultValue);
        connect(box, &QCheckBox::toggled, this, changed);
        field.editor = box;
        break;
    }
    case ParameterInfo::Type::Choice: {
        auto* box = new QComboBox;
        box->addItems(info.choices);
        box->setFocusPolicy(Qt::StrongFocus);
        field.get = [box] { return QVariant(box->currentText()); };
        field.set = [box](const QVariant& v) { box->setCurrentText(v.toString()); };
        field.set(info.defaultValue);
        connect(box, &QComboBox::currentTextChanged, this, changed);
        field.editor = box;
        break;
    }
    case ParameterInfo::Type::Text: {
        auto* box = new QLineEdit;
        field.get = [box] { return QVariant(box->text()); };
        field.set = [box](const QVariant& v) { box->setText(v.toString()); };
        field.set(info.defaultValue);
        connect(box, &QLineEdit::editingFinished, this, changed);
        field.editor = box;
        break;
    }
    }
    field.editor->setObjectName(info.key);
    field.editor->setToolTip(tipOf(info));
    field.editor->setAccessibleName(info.title.isEmpty() ? info.key : info.title);
    field.editor->setMinimumWidth(70);
    auto* line = new QWidget;
    auto* layout = new QHBoxLayout(line);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(field.editor, 1);
    auto* reset = new QToolButton;
    reset->setIcon(themeIcon(QStringLiteral("reset")));
    reset->setAutoRaise(true);
    reset->setIconSize(QSize(12, 12));
    reset->setToolTip(tr("Back to %1").arg(info.defaultValue.toString()));
    QSizePolicy keep = reset->sizePolicy();
    keep.setRetainSizeWhenHidden(true);
    reset->setSizePolicy(keep);
    layout->addWidget(reset);
    field.reset = reset;
    connect(reset, &QToolButton::clicked, this, [set = field.set, value = info.defaultValue] { set(value); });
    return line;
}

bool ParameterForm::isDefault(const Field& field) {
    const QVariant now = field.get(), home = field.info.defaultValue;
    if (field.info.type == ParameterInfo::Type::Real) {
        return std::abs(now.toDouble() - home.toDouble()) <= 1e-9 * std::max(1.0, std::abs(home.toDouble()));
    }
    return now.toString() == home.toString();
}

void ParameterForm::refreshResets() {
    for (const Field& field : m_fields) {
        if (field.reset) field.reset->setVisible(!isDefault(field));
    }
}

QJsonObject ParameterForm::values() const {
    QJsonObject values;
    for (const Field& field : m_fields) {
        if (!isDefault(field)) values.insert(field.info.key, QJsonValue::fromVariant(field.get()));
    }
    return values;
}

void ParameterForm::setValues(const QJsonObject& values) {
    for (const Field& field : m_fields) {
        const auto it = values.find(field.info.key);
        if (it == values.end()) {
            field.set(field.info.defaultValue);
            continue;
        }
        try {
            field.set(field.info.checked(it.value().toVariant()));
        } catch (const Error&) {
            field.set(field.info.defaultValue);
        }
    }
    refreshResets();
}

void ParameterForm::resetAll() {
    for (const Field& field : m_fields) {
        field.set(field.info.defaultValue);
    }
}

} // namespace blendscope
