#include "simulate/PsfShape.h"

#include "core/Error.h"
#include "io/FitsFile.h"
#include "simulate/RecipeReader.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr double kArcsecPerRadian = 206264.806;
constexpr double kAiryFwhm = 1.03; // of lambda / D; a little less with an obscuration

Psf readImage(const QString& path, const QString& band) {
    const FitsFilePtr file = FitsFile::open(path);
    const FitsHdu* any = nullptr;
    for (const FitsHdu& hdu : file->hdus()) {
        if (!hdu.isImage()) continue;
        if (hdu.name.compare(QStringLiteral("PSF_") + band, Qt::CaseInsensitive) == 0) {
            any = &hdu;
            break;
        }
        if (!any) any = &hdu;
    }
    if (!any) throw ReadError(QStringLiteral("%1 holds no image that could be a PSF").arg(path));
    return Psf::fromImage(file->read(*any, 0, Box::of(any->size()), CV_32F), Psf::Origin::Given);
}

} // namespace

PsfShape PsfShape::read(const RecipeReader& r, const PsfShape& before) {
    PsfShape out = before;
    out.kind = r.text("kind", before.kind);
    const QStringList kinds = {QStringLiteral("moffat"), QStringLiteral("kolmogorov"), QStringLiteral("gaussian"),
                               QStringLiteral("airy"), QStringLiteral("image")};
    if (!kinds.contains(out.kind)) r.fail("kind", QStringLiteral("one of ") + kinds.join(QStringLiteral(", ")));
    out.beta = r.number("beta", 1.1, 50.0, before.beta);
    out.mirrorMetres = r.number("mirror", 0.0, 1000.0, before.mirrorMetres);
    out.obscuration = r.number("obscuration", 0.0, 0.94, before.obscuration);
    if (r.has("file")) out.file = r.text("file");
    if (out.kind == QLatin1String("airy") && !(out.mirrorMetres > 0.0)) {
        r.fail("mirror", QStringLiteral("the mirror's diameter in metres"));
    }
    if (out.kind == QLatin1String("image") && out.file.isEmpty()) r.fail("file", QStringLiteral("a FITS file"));
    return out;
}

PsfMaker::PsfMaker(const PsfShape& shape, const std::vector<QString>& bands) : m_shape(shape) {
    if (shape.kind == QLatin1String("moffat")) m_unit.push_back(PsfModel::moffat(1.0, shape.beta));
    if (shape.kind == QLatin1String("kolmogorov")) m_unit.push_back(PsfModel::kolmogorov(1.0));
    if (shape.kind == QLatin1String("gaussian")) m_unit.push_back(PsfModel::gaussian(1.0));
    if (shape.kind == QLatin1String("airy")) m_gaussian.push_back(PsfModel::gaussian(1.0));
    if (shape.mirrorMetres > 0.0) m_airy.push_back(PsfModel::airy(1.0, shape.obscuration));
    if (shape.kind == QLatin1String("image")) {
        for (const QString& band : bands) {
            m_unit.push_back(PsfModel::image(readImage(shape.file, band)));
        }
    }
}

PsfModel PsfMaker::make(size_t band, double fwhm, double seeing, double wavelengthNm, double pixelScaleArcsec) const {
    if (m_shape.kind == QLatin1String("image")) {
        const PsfModel& image = m_unit.at(band);
        return seeing == 1.0 ? image : image.scaled(seeing);
    }
    const double diffraction =
        m_airy.empty() ? 0.0 : wavelengthNm * 1e-9 / m_shape.mirrorMetres * kArcsecPerRadian / pixelScaleArcsec;
    if (m_shape.kind == QLatin1String("airy")) {
        const PsfModel airy = m_airy.front().scaled(diffraction);
        const double rest = fwhm * fwhm - kAiryFwhm * kAiryFwhm * diffraction * diffraction;
        return rest > 1e-4 * fwhm * fwhm ? airy.convolved(m_gaussian.front().scaled(std::sqrt(rest))) : airy;
    }
    const PsfModel scaled = m_unit.front().scaled(fwhm);
    return diffraction > 0.0 ? scaled.convolved(m_airy.front().scaled(diffraction)) : scaled;
}

} // namespace blendscope
