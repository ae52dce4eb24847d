#pragma once

#include "core/Psf.h"
#include "deblend/DifferenceKernel.h"
#include "deblend/GaussianMixture.h"

#include <vector>

namespace blendscope {

/// The PSFs of all bands in the two forms that the factorization uses: sums of Gaussians for the profile fit, and
/// kernels from the narrow PSF of the model frame to each band's PSF image. Immutable.
struct PsfSet {
    std::vector<const Psf*> source;        ///< what it was made of, to be recognised by
    std::vector<GaussianPsf> mixtures;     ///< per band
    GaussianPsf frame;                     ///< a round Gaussian, narrower than every band's PSF
    std::vector<DifferenceKernel> kernels; ///< per band; empty where a PSF is too narrow to be sampled
    double fwhmPixels = 3.0;               ///< mean over bands
    bool guessed = false;                  ///< some band's PSF is unknown
    bool measured = false;                 ///< some band's PSF was estimated or guessed, not given

    /// `fallbackFwhm`: pixels, for bands whose PSF says nothing.
    PsfSet(const std::vector<const Psf*>& psf, double fallbackFwhm);
};

} // namespace blendscope
