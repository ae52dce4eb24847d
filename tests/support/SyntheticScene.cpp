#include "support/SyntheticScene.h"

#include "core/Random.h"

#include <cmath>
#include <numbers>

namespace blendscope::test {

Scene syntheticScene(cv::Size size, int bands, const std::vector<Blob>& blobs, double sigma, double psfFwhm,
                     std::uint64_t seed, bool noise) {
    static const char* names[] = {"g", "r", "i", "z", "y", "u"};
    Scene scene;
    scene.id = QStringLiteral("synthetic");
    scene.size = size;
    scene.pixelScale = 0.2;
    scene.wcs = Wcs::tangent({150.0, 2.0}, {size.width / 2.0, size.height / 2.0}, 0.2);
    for (int b = 0; b < bands; ++b) {
        Band band;
        band.name = b < 6 ? QString::fromLatin1(names[b]) : QStringLiteral("band%1").arg(b);
        cv::Mat image = cv::Mat::zeros(size, CV_32F);
        for (const Blob& blob : blobs) {
            const double amplitude = blob.flux.at(b) / (2.0 * std::numbers::pi * blob.sigma * blob.sigma);
            const int reach = static_cast<int>(std::ceil(7.0 * blob.sigma));
            const int cx = static_cast<int>(std::lround(blob.x)), cy = static_cast<int>(std::lround(blob.y));
            for (int y = std::max(0, cy - reach); y <= std::min(size.height - 1, cy + reach); ++y) {
                for (int x = std::max(0, cx - reach); x <= std::min(size.width - 1, cx + reach); ++x) {
                    const double r2 = (x - blob.x) * (x - blob.x) + (y - blob.y) * (y - blob.y);
                    image.at<float>(y, x) +=
                        static_cast<float>(amplitude * std::exp(-0.5 * r2 / (blob.sigma * blob.sigma)));
                }
            }
        }
        if (noise) {
            Random random(seed, static_cast<std::uint64_t>(b));
            for (int y = 0; y < size.height; ++y) {
                for (int x = 0; x < size.width; ++x) {
                    image.at<float>(y, x) += static_cast<float>(random.normal(0.0, sigma));
                }
            }
        }
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<ConstantPlane>(size, static_cast<float>(sigma * sigma));
        band.psf = Psf::gaussian(psfFwhm, Psf::Origin::Given);
        band.zeroPoint = 30.0;
        band.skySubtracted = true;
        band.wavelength = filterWavelength(band.name);
        scene.bands.push_back(std::move(band));
    }
    return scene;
}

} // namespace blendscope::test
