#include "simulate/PsfShape.h"

#include "core/Error.h"
#include "io/FitsFile.h"
#include "simulate/RecipeReader.h"

#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kArcsecPerRadian = 206264.806;

/// FWHM of the Gaussian that, after diffraction, gives a profile of `fwhm`: where the Hankel transform of the product
/// of both at half the FWHM is half of that at 0. All in lambda / D. 0 where diffraction alone is as wide.
double gaussianBehind(const PsfModel& airy, double fwhm) {
    constexpr int kSteps = 400;
    const double end = airy.cutoff(), step = end / kSteps;
    std::vector<float> k(kSteps), diffraction(kSteps);
    for (int i = 0; i < kSteps; ++i) {
        k[static_cast<size_t>(i)] = static_cast<float>((i + 0.5) * step);
    }
    airy.row(k.data(), kSteps, 0.0f, diffraction.data());
    std::vector<double> weight(kSteps);
    for (size_t i = 0; i < kSteps; ++i) {
        weight[i] = k[i] * diffraction[i] * (::j0(0.5 * fwhm * k[i]) - 0.5);
    }
    const auto excess = [&](double width) { // of the brightness at half the FWHM over half that of the middle
        const double half = width * width / (16.0 * std::numbers::ln2);
        double sum = 0.0;
        for (size_t i = 0; i < kSteps; ++i) {
            sum += weight[i] * std::exp(-half * k[i] * k[i]);
        }
        return sum;
    };
    if (excess(0.0) >= 0.0) return 0.0;
    double low = 0.0, high = fwhm;
    for (int i = 0; i < 24; ++i) {
        const double middle = 0.5 * (low + high);
        (excess(middle) < 0.0 ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

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
        const double rest = gaussianBehind(m_airy.front(), fwhm / diffraction) * diffraction;
        return rest > 1e-2 * fwhm ? airy.convolved(m_gaussian.front().scaled(rest)) : airy;
    }
    const PsfModel scaled = m_unit.front().scaled(fwhm);
    return diffraction > 0.0 ? scaled.convolved(m_airy.front().scaled(diffraction)) : scaled;
}

} // namespace blendscope
