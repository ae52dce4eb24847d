#pragma once

#include <QPaintDevice>
#include <QSize>
#include <QString>
#include <memory>

namespace blendscope {

/// Records what is painted as SVG: paths and embedded images. Text is paths too, so that no font is needed to show it;
/// or it stays text in the reader's own sans-serif, as wide as it was measured here, small and searchable.
class SvgDevice final : public QPaintDevice {
public:
    enum class Text { AsPaths, AsText };
    explicit SvgDevice(QSize size, Text text = Text::AsPaths);
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
