#include "figure/FigureFile.h"

#include "core/Error.h"

#include <QBuffer>
#include <QFileInfo>
#include <QImage>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>

namespace blendscope {

void saveFigure(const QString& path, QSize size, const std::function<void(QPainter&)>& paint, double scale,
                SvgDevice::Text text) {
    const QString ending = QFileInfo(path).suffix().toLower();
    QByteArray bytes;
    if (ending == QLatin1String("svg")) {
        SvgDevice device(size, text);
        {
            QPainter painter(&device);
            paint(painter);
        }
        bytes = device.document();
    } else if (ending == QLatin1String("pdf")) {
        QBuffer buffer(&bytes);
        buffer.open(QIODevice::WriteOnly);
        QPdfWriter writer(&buffer);
        // One point a picture pixel, no margins.
        writer.setResolution(72);
        writer.setPageMargins(QMarginsF());
        writer.setPageSize(QPageSize(QSizeF(size), QPageSize::Point, {}, QPageSize::ExactMatch));
        writer.setCreator(QStringLiteral("Blendscope"));
        QPainter painter(&writer);
        paint(painter);
        painter.end();
    } else if (ending == QLatin1String("png") || ending == QLatin1String("jpg") || ending == QLatin1String("jpeg")) {
        QImage image((QSizeF(size) * scale).toSize(), QImage::Format_RGB32);
        if (image.isNull()) throw WriteError(QStringLiteral("a picture of this size does not fit in memory"));
        image.fill(Qt::black);
        QPainter painter(&image);
        painter.scale(scale, scale);
        paint(painter);
        painter.end();
        QBuffer buffer(&bytes);
        buffer.open(QIODevice::WriteOnly);
        image.save(&buffer, ending == QLatin1String("png") ? "PNG" : "JPG", ending == QLatin1String("png") ? -1 : 92);
    } else {
        throw UsageError(QStringLiteral("%1: pictures end in .png, .jpg, .svg or .pdf").arg(path));
    }
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteError(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
    }
}

} // namespace blendscope
