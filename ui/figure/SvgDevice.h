#pragma once

#include <QPaintDevice>
#include <QSize>
#include <QString>
#include <memory>

namespace blendscope {

/// Records what is painted as SVG: paths (text included, so that no font is needed to show it) and embedded images.
class SvgDevice final : public QPaintDevice {
public:
    explicit SvgDevice(QSize size);
    ~SvgDevice() override;

    [[nodiscard]] QPaintEngine* paintEngine() const override;
    /// The document; complete once the painter has ended.
    [[nodiscard]] QByteArray document() const;

protected:
    int metric(PaintDeviceMetric metric) const override;

private:
    class Engine;
    QSize m_size;
    std::unique_ptr<Engine> m_engine;
};

} // namespace blendscope
