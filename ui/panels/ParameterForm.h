#pragma once

#include "method/Registry.h"

#include <QJsonObject>
#include <QWidget>
#include <functional>
#include <map>

namespace blendscope {

/// A form made from a method's metadata: one line a parameter with its unit, range, help as a tool tip and a button
/// back to the default; advanced ones are folded away.
class ParameterForm final : public QWidget {
    Q_OBJECT

public:
    explicit ParameterForm(const MethodInfo& method, QWidget* parent = nullptr);
    /// Only what differs from the defaults.
    [[nodiscard]] QJsonObject values() const;
    /// Unknown keys and unfit values are left out.
    void setValues(const QJsonObject& values);
    void resetAll();

Q_SIGNALS:
    void edited();

private:
    struct Field {
        ParameterInfo info;
        QWidget* editor = nullptr;
        QWidget* reset = nullptr;
        std::function<QVariant()> get;
        std::function<void(const QVariant&)> set;
    };
    QWidget* makeLine(Field& field);
    void refreshResets();
    [[nodiscard]] static bool isDefault(const Field& field);

    std::vector<Field> m_fields;
};

} // namespace blendscope
