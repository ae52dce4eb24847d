#include "panels/SideColumn.h"

#include <QEvent>
#include <QScrollBar>
#include <algorithm>

namespace blendscope {

namespace {
constexpr int kLeast = 252, kMost = 266;
} // namespace

SideColumn::SideColumn(QWidget* column, QWidget* parent) : QScrollArea(parent) {
    setObjectName(QStringLiteral("plain"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMinimumWidth(kLeast);
    setWidget(column);
}

bool SideColumn::eventFilter(QObject* watched, QEvent* event) {
    if (widget() && watched == widget() && event->type() == QEvent::LayoutRequest) {
        const int wanted = widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width();
        setMinimumWidth(std::clamp(wanted, kLeast, kMost));
    }
    return QScrollArea::eventFilter(watched, event);
}

} // namespace blendscope
