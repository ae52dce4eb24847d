#include "deblend/PsfSet.h"

#include <algorithm>

namespace blendscope {

namespace {
constexpr double kFrameWidth = 0.6;     // FWHM of the model frame in that of the narrowest band
constexpr double kLeastFrameFwhm = 1.5; // pixels: narrower Gaussians are not sampled any more
constexpr double kWidestFrame = 0.85;   // of the narrowest band, so that kernels need not deconvolve
} // namespace

PsfSet::PsfSet(const std::vector<const Psf*>& psf, double fallbackFwhm) : source(psf) {
    double narrowest = 1e9, sum = 0.0;
    for (const Psf* p : psf) {
        const double fwhm = p->fwhmPixels > 0.0 ? p->fwhmPixels : fallbackFwhm;
        guessed = guessed || !p->known();
        measured = measured || p->origin != Psf::Origin::Given;
        mixtures.push_back(GaussianPsf::fit(p->image, fwhm));
        narrowest = std::min(narrowest, mixtures.back().fwhmPixels);
        sum += mixtures.back().fwhmPixels;
    }
    if (mixtures.empty()) return;
    fwhmPixels = sum / double(mixtures.size());
    const double frameFwhm = std::max(kFrameWidth * narrowest, kLeastFrameFwhm);
    frame = GaussianPsf::gaussian(frameFwhm);
    if (frameFwhm > kWidestFrame * narrowest) return;
    for (std::size_t b = 0; b < psf.size(); ++b) {
        int size = psf[b]->known() ? std::max(psf[b]->image.cols, psf[b]->image.rows)
                                   : 2 * int(4.0 * mixtures[b].fwhmPixels) + 1;
        if (size % 2 == 0) ++size;
        const cv::Mat from = frame.image(size), smooth = mixtures[b].image(size);
        const bool known = psf[b]->known();
        kernels.emplace_back(from, known ? psf[b]->image : smooth);
        // A stack of few stars is noisier than the sum of Gaussians that describes it.
        if (known && psf[b]->origin != Psf::Origin::Given && kernels.back().damped()) {
            kernels.back() = DifferenceKernel(from, smooth);
        }
    }
}

} // namespace blendscope
