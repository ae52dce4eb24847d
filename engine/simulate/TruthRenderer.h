#pragma once

#include "core/Scene.h"
#include "simulate/Renderer.h"

#include <optional>

namespace blendscope {

/// Draws isolated, noiseless images of a scene's truth from the columns of its table, through the PSF images of its own
/// bands: for tables that came without such images.
/// Columns (arcsec and deg, names as Blending ToolKit, CatSim and our own simulator write them): half-light semi-axes
/// a_d, b_d of the disk and a_b, b_b of the bulge, pa_disk and pa_bulge (from +x towards +y), Sersic indices disk_n
/// and bulge_n (1 and 4 where absent), relative fluxes fluxnorm_disk, fluxnorm_bulge, fluxnorm_agn (one split for all
/// bands) or btfrac; or, of one profile (n = sersic_n, else 1), hlr, ellip = (a - b) / (a + b) and pa. Where
/// fluxnorm_bulge stands alone, the bulge's share is guessed from its size against mag_i, as in CatSim, to 0.6 mag. The
/// fluxes are TruthObject::flux.
/// Our own simulator gives bulge and disk colours of their own: columns btfrac_<band> say so.
/// Tables with a column DiskHalfLightRadius (LSST's injection of CatSim galaxies) have angles from east towards north:
/// they are turned by the scene's WCS, or by north up and east left where there is none.
/// Immutable: safe from many threads.
class TruthRenderer {
public:
    /// Throws UsageError for a scene without truth or pixel scale.
    explicit TruthRenderer(const Scene& scene);

    /// Why an object cannot be drawn, as a sentence; empty = it can be. In bands without a PSF or the object's flux
    /// nothing is drawn.
    [[nodiscard]] QString problem(const TruthObject& object) const;

    /// Planes in counts, all bands of the scene on one box; an empty matrix for bands that cannot be drawn.
    /// `mostPixels` bounds the box's side. Throws UsageError with problem().
    [[nodiscard]] Renderer::Drawing draw(const TruthObject& object, int mostPixels = 1024) const;

    /// As Truth::isolated: [band][object], planes of the scene's size; null for what cannot be drawn. The same for any
    /// number of threads (0 = all).
    [[nodiscard]] std::vector<std::vector<PlanePtr>> isolated(int threads = 0) const;

    /// The object as the renderer takes it: nothing where problem() says something.
    [[nodiscard]] std::optional<Galaxy> galaxy(const TruthObject& object) const;

private:
    cv::Size m_size;
    Wcs m_wcs;
    std::vector<TruthObject> m_objects;
    std::vector<QString> m_bandNames;
    double m_scale = 0.0;
    std::vector<int> m_rendered; ///< of a band: its number in the renderer, or -1
    std::optional<Renderer> m_renderer;
};

} // namespace blendscope
