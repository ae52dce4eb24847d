#pragma once

#include "neural/Patch.h"
#include "neural/Tensors.h"

#include <QJsonObject>

namespace blendscope {

/// How pixels become a network's input: named, invertible choices that travel with the model (card.json,
/// "preprocessing") and are switches of the training recipe:
/// {"bands": ["g", "r", "i"],       the network's bands, in its order; "*" takes any band, the one nearest to 750 nm
///  "scale": "asinh_noise",         asinh(x / (softening sigma)); sigma is the rms of the sky's noise of the band
///           "linear_noise",        x / (softening sigma)
///           "pull",                x sqrt(weight): each pixel by its own noise
///           "asinh_pull",          asinh(x sqrt(weight) / softening)
///  "softening": 3.0,               one number, or one per band
///  "inverse_variance": true,       a further channel per band: weight sigma^2, 1 = sky, 0 = unusable
///  "psf_width": true,              a further channel per band: log2(FWHM / 4 pixels), 0 = unknown
///  "presence": true}               a further channel per band: 1 where the scene has the band, 0 where it is missing
/// Input channels are [image of each band, inverse variance of each band, PSF width of each band, presence of each
/// band]; a missing band is 0 in all. Images of unusable pixels and of pixels outside the scene are 0.
class Preprocessing {
public:
    enum class Scale { AsinhNoise, LinearNoise, Pull, AsinhPull };

    Preprocessing() = default;
    /// Throws UsageError that names the key.
    [[nodiscard]] static Preprocessing fromJson(const QJsonObject& json);
    [[nodiscard]] QJsonObject toJson() const;

    QStringList bands;
    Scale scale = Scale::AsinhNoise;
    std::vector<double> softening; ///< per band
    bool inverseVariance = false;
    bool psfWidth = false;
    bool presence = false;

    [[nodiscard]] int bandCount() const { return static_cast<int>(bands.size()); }
    [[nodiscard]] int channels() const {
        return bandCount() * (1 + (inverseVariance ? 1 : 0) + (psfWidth ? 1 : 0) + (presence ? 1 : 0));
    }

    /// For each of the network's bands the index of the scene's, -1 = missing: the same name, or the nearest effective
    /// wavelength within 12 %; each of the scene's is used once. Throws UsageError where none matches.
    [[nodiscard]] std::vector<int> match(const QStringList& names, const std::vector<double>& wavelengths) const;
    /// The same, but where none matches and no wavelength is known the scene's bands are taken for the network's in
    /// order (a single one for that nearest to 750 nm), and `assumed` gets a sentence that says so.
    [[nodiscard]] std::vector<int> matchOrAssume(const QStringList& names, const std::vector<double>& wavelengths,
                                                 QString& assumed) const;

    /// float32 [channels, y, x] on the CPU. `matched` as match() gives it (so that training can leave bands out).
    [[nodiscard]] torch::Tensor encode(const Patch& patch, const std::vector<int>& matched) const;
    [[nodiscard]] torch::Tensor encode(const Patch& patch) const {
        return encode(patch, match(patch.bands, patch.wavelength));
    }

    /// Any plane of counts of the patch (a noiseless image, one object's light) on the image channels' scale: CV_32F
    /// per scene band -> float32 [bands, y, x]; 0 for missing bands.
    [[nodiscard]] torch::Tensor encodeCounts(const std::vector<cv::Mat>& counts, const Patch& patch,
                                             const std::vector<int>& matched) const;

    /// The inverse: [bands, y, x] on the image channels' scale -> counts per scene band (empty where not matched).
    /// Pixels of weight 0 give 0 with the pull scales.
    [[nodiscard]] std::vector<cv::Mat> decodeCounts(const torch::Tensor& scaled, const Patch& patch,
                                                    const std::vector<int>& matched) const;

    /// Counts per unit of "x / sigma" of the network's bands (0 for missing ones): for fluxes in units of the sky
    /// noise.
    [[nodiscard]] std::vector<float> sigmas(const Patch& patch, const std::vector<int>& matched) const;
};

} // namespace blendscope
