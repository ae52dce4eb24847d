#include "charts/Histogram.h"

#include "models/Format.h"
#include "theme/Theme.h"

#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr double kMargin = 6.0;
constexpr double kHandleReach = 7.0;
} // namespace

Histogram::Histogram(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Histogram of pixel values"));
}

void Histogram::setTraces(std::vector<Trace> traces) {
    m_traces = std::move(traces);
    std::vector<float> all;
    for (const Trace& t : m_traces) {
        if (t.values) all.insert(all.end(), t.values->begin(), t.values->end());
    }
    if (all.size() > 1) {
        const SkyLevel sky = skyOfSample(all);
        m_sky = double(sky.level);
        m_sigma = sky.sigma > 0 ? double(sky.sigma) : 1.0;
        const auto [least, most] = std::minmax_element(all.begin(), all.end());
        m_low = std::max(double(*least), m_sky - 8 * m_sigma);
        m_high = double(*most);
        if (!(m_high > m_low)) m_high = m_low + 1.0;
    }
    count();
    update();
}

void Histogram::setCuts(Cuts cuts, bool draggable) {
    m_cuts = cuts;
    m_draggable = draggable;
    update();
}

void Histogram::setCurve(Curve curve, float parameter) {
    m_curve = curve;
    m_parameter = parameter;
    update();
}

double Histogram::toX(double value) const {
    const auto f = [this](double v) { return std::asinh((v - m_sky) / (3 * m_sigma)); };
    const double a = f(m_low), b = f(m_high);
    return kMargin + (f(value) - a) / (b - a) * (width() - 2 * kMargin);
}

double Histogram::toValue(double x) const {
    const auto f = [this](double v) { return std::asinh((v - m_sky) / (3 * m_sigma)); };
    const double a = f(m_low), b = f(m_high);
    return m_sky + 3 * m_sigma * std::sinh(a + (x - kMargin) / std::max(1.0, width() - 2 * kMargin) * (b - a));
}

void Histogram::count() {
    m_heights.clear();
    const int columns = std::max(2, (width() - int(2 * kMargin)) / 2);
    for (const Trace& t : m_traces) {
        std::vector<float> bins(static_cast<std::size_t>(columns), 0.0f);
        if (t.values) {
            for (const float v : *t.values) {
                const double u = (toX(double(v)) - kMargin) / std::max(1.0, width() - 2 * kMargin);
                if (std::isfinite(u)) {
                    ++bins[static_cast<std::size_t>(std::clamp(int(u * columns), 0, columns - 1))];
                }
            }
        }
        float most = 0.0f;
        for (float& n : bins) {
            n = std::log1p(n);
            most = std::max(most, n);
        }
        if (most > 0) {
            for (float& n : bins) {
                n /= most;
            }
        }
        m_heights.push_back(std::move(bins));
    }
}

void Histogram::resizeEvent(QResizeEvent* event) {
    count();
    QWidget::resizeEvent(event);
}

void Histogram::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    p.fillRect(frame, palette().base());
    p.setPen(Theme::colors().line);
    p.drawRect(frame);
    const double floor = height() - 3.0, top = 6.0;

    if (m_draggable) {
        const double a = toX(double(m_cuts.low)), b = toX(double(m_cuts.high));
        QColor between = Theme::colors().accent;
        between.setAlpha(28);
        p.fillRect(QRectF(std::max(a, 1.0), 1, std::min(b, width() - 1.0) - std::max(a, 1.0), height() - 2.0), between);
    }
    for (std::size_t i = 0; i < m_heights.size(); ++i) {
        const auto& bins = m_heights[i];
        QPainterPath path(QPointF(kMargin, floor));
        const double step = (width() - 2 * kMargin) / double(bins.size());
        for (std::size_t k = 0; k < bins.size(); ++k) {
            const double y = floor - double(bins[k]) * (floor - top);
            path.lineTo(kMargin + double(k) * step, y);
            path.lineTo(kMargin + double(k + 1) * step, y);
        }
        path.lineTo(width() - kMargin, floor);
        QColor fill = m_traces[i].color;
        fill.setAlpha(m_heights.size() > 1 ? 70 : 110);
        p.fillPath(path, fill);
        p.setPen(QPen(m_traces[i].color, 1));
        p.drawPath(path);
    }
    if (m_heights.empty()) {
        p.setPen(Theme::colors().muted);
        p.drawText(rect(), Qt::AlignCenter, tr("no scene"));
        return;
    }
    if (!m_draggable) return;

    const double a = toX(double(m_cuts.low)), b = toX(double(m_cuts.high));
    if (b > a + 2) {
        QPainterPath curve;
        for (int i = 0; i <= 60; ++i) {
            const double x = a + (b - a) * i / 60.0;
            const double t = (toValue(x) - double(m_cuts.low)) / (double(m_cuts.high) - double(m_cuts.low));
            const double y =
                floor - double(applyCurve(m_curve, float(std::clamp(t, 0.0, 1.0)), m_parameter)) * (floor - top);
            i == 0 ? curve.moveTo(x, y) : curve.lineTo(x, y);
        }
        p.setPen(QPen(palette().color(QPalette::Text), 1.2, Qt::DotLine));
        p.drawPath(curve);
    }
    for (const double x : {a, b}) {
        const double inside = std::clamp(x, 2.0, width() - 2.0);
        p.setPen(QPen(Theme::colors().accent, 2));
        p.drawLine(QPointF(inside, 1), QPointF(inside, height() - 1.0));
        p.setBrush(Theme::colors().accent);
        p.setPen(Qt::NoPen);
        p.drawEllipse(QPointF(std::clamp(x, 4.0, width() - 4.0), 6), 3.5, 3.5);
    }
}

int Histogram::handleAt(double x) const {
    if (!m_draggable || m_heights.empty()) return -1;
    const double a = std::clamp(toX(double(m_cuts.low)), 2.0, width() - 2.0);
    const double b = std::clamp(toX(double(m_cuts.high)), 2.0, width() - 2.0);
    const double da = std::abs(x - a), db = std::abs(x - b);
    if (std::min(da, db) > kHandleReach) return -1;
    return da < db || (da == db && x < a) ? 0 : 1;
}

void Histogram::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) m_dragged = handleAt(event->position().x());
}

void Histogram::mouseMoveEvent(QMouseEvent* event) {
    const double x = event->position().x();
    if (m_dragged < 0) {
        setCursor(handleAt(x) >= 0 ? Qt::SplitHCursor : Qt::ArrowCursor);
        if (!m_heights.empty()) {
            QToolTip::showText(event->globalPosition().toPoint(), formatValue(toValue(x)), this);
        }
        return;
    }
    const float value = float(toValue(std::clamp(x, 0.0, double(width()))));
    const float least = float(0.02 * m_sigma);
    if (m_dragged == 0) m_cuts.low = std::min(value, m_cuts.high - least);
    if (m_dragged == 1) m_cuts.high = std::max(value, m_cuts.low + least);
    QToolTip::showText(event->globalPosition().toPoint(),
                       formatValue(double(m_dragged == 0 ? m_cuts.low : m_cuts.high)), this);
    update();
    Q_EMIT cutsDragged(m_cuts);
}

void Histogram::mouseReleaseEvent(QMouseEvent*) {
    m_dragged = -1;
}

} // namespace blendscope
