#pragma once

#include <QScrollArea>

namespace blendscope {

/// The sections of a side of the window, one below the other, scrolled up and down; as wide as they need, so that
/// nothing is cut off at the side.
class SideColumn final : public QScrollArea {
    Q_OBJECT

public:
    explicit SideColumn(QWidget* column, QWidget* parent = nullptr);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

} // namespace blendscope
