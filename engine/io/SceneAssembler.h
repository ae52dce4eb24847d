#pragma once

#include "io/FitsFile.h"
#include "io/SceneNames.h"
#include "io/SceneReader.h"

#include <vector>

namespace blendscope {

/// Makes scenes of the open files that belong together: finds the role and the band of every HDU, sorts images into
/// grids, and gives each image its variance, mask, PSF and truth. Throws ReadError, UsageError, CancelledError.
class SceneAssembler {
public:
    SceneAssembler(const SceneFiles& files, const OpenOptions& options, Progress* progress);
    [[nodiscard]] std::vector<ScenePtr> assemble();

    /// Images in a file as planes of bands, by HDUs and cubes; for grouping. `size` is of the first.
    struct Overview {
        int imagePlanes = 0;
        cv::Size size;
        double pixelScale = 0.0; ///< by WCS or PIXSCALE, 0 = unknown
    };
    [[nodiscard]] static Overview overview(const FitsFile& file);

private:
    /// One plane of an HDU and what it is to the scene.
    struct Item {
        FitsFilePtr file;
        const FitsHdu* hdu = nullptr;
        const FitsHdu* primary = nullptr;
        long long plane = 0;
        HduRole role = HduRole::Image;
        QString band;        ///< as it will be shown; empty = not named
        bool named = false;  ///< the band comes from a header or a file name, not from a plane's number
        int order = 0;       ///< among all planes of this role
        int truthObject = 0; ///< of isolated images
        QString label;       ///< "img_g.fits HDU 2 (VAR_G)"
    };
    /// Sentences on bands; the same one for several bands is said once.
    class BandNotes {
    public:
        void add(const QString& band, const QString& text);
        [[nodiscard]] QStringList sentences(std::size_t allBands) const;

    private:
        std::vector<std::pair<QString, QStringList>> m_notes;
    };
    void collect(const FitsFilePtr& file);
    void nameBands();
    [[nodiscard]] std::vector<std::vector<const Item*>> grids() const;
    [[nodiscard]] ScenePtr make(const std::vector<const Item*>& images) const;
    [[nodiscard]] const Item* partner(const Item& image, HduRole role, const std::vector<const Item*>& images,
                                      cv::Size size, QStringList& warnings) const;
    void readBand(Band& band, const Item& image, const std::vector<const Item*>& images, Scene& scene,
                  BandNotes& notes) const;
    void readPsf(Band& band, const Item& image, const std::vector<const Item*>& images, Scene& scene,
                 BandNotes& notes) const;
    void resampleBand(Band& band, const Item& item, const Wcs& wcs, Scene& scene, BandNotes& notes) const;
    void readTruth(Scene& scene, const std::vector<const Item*>& images) const;
    [[nodiscard]] QString psfOption(const QString& band) const;

    SceneFiles m_files;
    OpenOptions m_options;
    Progress* m_progress;
    std::vector<Item> m_items;
    std::vector<SceneFile> m_listing;
    QStringList m_warnings, m_assumptions;
};

} // namespace blendscope
