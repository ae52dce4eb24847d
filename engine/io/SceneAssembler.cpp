#include "io/SceneAssembler.h"

#include "core/CutoutPlane.h"
#include "image/Background.h"
#include "image/Resample.h"
#include "image/StarPsf.h"
#include "io/Calibration.h"
#include "io/FitsPlane.h"
#include "io/TruthTable.h"
#include "jobs/Progress.h"

#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace blendscope {

namespace {

constexpr long long kMostBands = 64;      // planes of one cube that are still bands
constexpr int kMostPsfSide = 1025;        // pixels
constexpr double kSamePixels = 0.02;      // bands closer than this need no resampling
constexpr double kRegisteredPixels = 0.2; // bands further apart than this are said to be unregistered

/// Bits of the LSST pipelines in their default order.
MaskPlaneNames lsstMaskPlanes() {
    return {{QStringLiteral("BAD"), 0},
            {QStringLiteral("SAT"), 1},
            {QStringLiteral("INTRP"), 2},
            {QStringLiteral("CR"), 3},
            {QStringLiteral("EDGE"), 4},
            {QStringLiteral("DETECTED"), 5},
            {QStringLiteral("DETECTED_NEGATIVE"), 6},
            {QStringLiteral("SUSPECT"), 7},
            {QStringLiteral("NO_DATA"), 8}};
}

/// Data-quality bits of the space telescopes, under the names that a scene uses.
MaskPlaneNames qualityPlanes(const QString& telescope) {
    if (telescope == QLatin1String("JWST")) {
        return {{QStringLiteral("BAD"), 0}, {QStringLiteral("SAT"), 1}, {QStringLiteral("JUMP_DET"), 2}};
    }
    // HST ACS and WFC3: 4 bad detector pixel, 256 saturated, 8192 cosmic ray, 2 filler.
    return {{QStringLiteral("NO_DATA"), 1},
            {QStringLiteral("BAD"), 2},
            {QStringLiteral("SAT"), 8},
            {QStringLiteral("CR"), 13}};
}

QString listText(const QStringList& names) {
    return names.join(QStringLiteral(", "));
}

Wcs wcsOf(const FitsHdu& hdu) {
    return Wcs::fromHeader(hdu.header.cards());
}

double pixelScaleOf(const FitsHdu& hdu, const FitsHdu& primary, const Wcs& wcs) {
    const cv::Size size = hdu.size();
    if (wcs.isValid()) {
        const double scale = wcs.pixelScale((size.width - 1) / 2.0, (size.height - 1) / 2.0);
        if (scale > 0.0) return scale;
    }
    for (const FitsHeader* header : {&hdu.header, &primary.header}) {
        for (const char* key : {"PIXSCALE", "PIXSCAL1", "SECPIX", "PLTSCALE"}) {
            const auto value = header->number(key);
            if (value && *value > 1e-6 && *value < 1e5) return *value;
        }
    }
    return 0.0;
}

/// Largest distance in pixels between where two solutions put the corners and the centre; NaN where they say nothing.
double largestOffset(const Wcs& a, const Wcs& b, cv::Size size) {
    double worst = 0.0;
    const double w = size.width - 1, h = size.height - 1;
    const std::pair<double, double> points[] = {{0, 0}, {w, 0}, {0, h}, {w, h}, {w / 2, h / 2}};
    for (const auto& [x, y] : points) {
        const auto sky = a.toSky(x, y);
        const auto back = sky ? b.toPixel(*sky) : std::nullopt;
        if (!back) return std::numeric_limits<double>::quiet_NaN();
        worst = std::max(worst, std::hypot(back->x - x, back->y - y));
    }
    return worst;
}

/// Whether some rows across the plane all hold one positive value: a sky-only variance.
bool looksConstant(const Plane& plane) {
    const cv::Size size = plane.size();
    float value = 0.0f;
    bool any = false;
    const int rows = std::min(size.height, 9);
    for (int k = 0; k < rows; ++k) {
        const int y = rows == 1 ? 0 : static_cast<int>(static_cast<long long>(k) * (size.height - 1) / (rows - 1));
        const cv::Mat row = plane.read({0, y, size.width, 1});
        for (int x = 0; x < row.cols; ++x) {
            const float v = row.at<float>(0, x);
            if (!std::isfinite(v) || v <= 0.0f) continue; // unusable pixels say nothing of the others
            if (any && std::abs(v - value) > 1e-6f * value) return false;
            value = v;
            any = true;
        }
    }
    return any;
}

bool isNumeric(const TableColumn& column) {
    return !column.isText() && !std::holds_alternative<TableColumn::Arrays>(column.values);
}

QString filterOf(const FitsHeader& header) {
    for (const char* key : {"FILTER", "BAND", "FILTER1", "FILTER2", "FILTNAM1", "FILTER01"}) {
        QString band = cleanBandName(header.string(key));
        if (!band.isEmpty()) return band;
    }
    return {};
}

QStringList bandList(const QString& text) {
    static const QRegularExpression separator(QStringLiteral("[,;\\s]+"));
    QStringList names;
    for (const QString& part : text.split(separator, Qt::SkipEmptyParts)) {
        names << cleanBandName(part);
    }
    return names;
}

} // namespace

void SceneAssembler::BandNotes::add(const QString& band, const QString& text) {
    for (auto& [known, bands] : m_notes) {
        if (known != text) continue;
        bands << band;
        return;
    }
    m_notes.emplace_back(text, QStringList{band});
}

QStringList SceneAssembler::BandNotes::sentences(std::size_t allBands) const {
    QStringList out;
    for (const auto& [text, bands] : m_notes) {
        const bool all = allBands > 1 && bands.size() == static_cast<qsizetype>(allBands);
        out << (all                ? QStringLiteral("all bands: ")
                : bands.size() > 1 ? QStringLiteral("bands %1: ").arg(listText(bands))
                                   : QStringLiteral("band %1: ").arg(bands.front())) +
                   text;
    }
    return out;
}

SceneAssembler::SceneAssembler(const SceneFiles& files, const OpenOptions& options, Progress* progress)
    : m_files(files), m_options(options), m_progress(progress) {}

SceneAssembler::Overview SceneAssembler::overview(const FitsFile& file) {
    Overview seen;
    for (const FitsHdu& hdu : file.hdus()) {
        if (hdu.size().empty()) continue;
        const ExtensionName name = parseExtensionName(hdu.name);
        if (name.known && name.role != HduRole::Image) continue;
        const QString type = hdu.header.string("EXTTYPE");
        if (!name.known && !type.isEmpty()) {
            const ExtensionName byType = parseExtensionName(type);
            if (byType.known && byType.role != HduRole::Image) continue;
        }
        if (seen.imagePlanes == 0) {
            seen.size = hdu.size();
            seen.pixelScale = pixelScaleOf(hdu, file.hdus().front(), wcsOf(hdu));
        }
        seen.imagePlanes += static_cast<int>(std::min(hdu.planes(), kMostBands));
    }
    return seen;
}

void SceneAssembler::collect(const FitsFilePtr& file) {
    const SceneFileName fileName = parseFileName(file->path());
    const FitsHdu& primary = file->hdus().front();
    const QString shortName = QFileInfo(file->path()).fileName();
    SceneFile listing;
    listing.path = file->path();
    if (!file->problem().isEmpty()) m_warnings << QStringLiteral("%1: %2").arg(shortName, file->problem());

    for (const FitsHdu& hdu : file->hdus()) {
        QString what = QStringLiteral("not used");
        ExtensionName name = parseExtensionName(hdu.name);
        if (!name.known) {
            const ExtensionName byType = parseExtensionName(hdu.header.string("EXTTYPE"));
            if (byType.known) {
                name.known = true;
                name.role = byType.role;
            }
        }
        // A file that calls itself a mask or a PSF holds one, unless its HDUs say better.
        if (!name.known && fileName.hasRole && m_files.files.size() > 1) {
            name.known = true;
            name.role = fileName.role;
        }
        const QString label = QStringLiteral("%1 HDU %2%3")
                                  .arg(shortName)
                                  .arg(hdu.number)
                                  .arg(hdu.name.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(hdu.name));
        const bool isTable = hdu.kind == FitsHdu::Kind::Table;
        const bool tableRole = name.known && (name.role == HduRole::Truth || name.role == HduRole::Peaks ||
                                              name.role == HduRole::IsolatedCutouts);
        if (isTable ? tableRole : (!hdu.size().empty() && !tableRole)) {
            if (!hdu.complete) {
                const QString cut =
                    QStringLiteral("%1 is truncated: it ends inside HDU %2").arg(file->path()).arg(hdu.number);
                if (name.role == HduRole::Image) throw ReadError(cut);
                m_warnings << cut;
            } else if (name.role != HduRole::Ignored) {
                // Band: FILTER, BAND, EXTNAME, the file's FILTER, its name, the plane's number.
                QString band = filterOf(hdu.header);
                const QString rest = cleanBandName(name.rest);
                const QString fileFilter = hdu.number > 1 ? filterOf(primary.header) : QString();
                if (band.isEmpty() && !rest.isEmpty() && (fileFilter.isEmpty() || filterWavelength(rest) > 0.0))
                    band = rest;
                if (band.isEmpty()) band = fileFilter;
                if (band.isEmpty()) band = fileName.band;
                const long long planes = isTable ? 1 : hdu.planes();
                if (name.role == HduRole::Image && planes > kMostBands) {
                    throw ReadError(QStringLiteral("%1: HDU %2 is a cube of %3 planes, too many to be bands")
                                        .arg(file->path())
                                        .arg(hdu.number)
                                        .arg(planes));
                }
                QStringList planeNames = bandList(hdu.header.string("BANDS"));
                if (planeNames.size() != planes && hdu.number > 1)
                    planeNames = bandList(primary.header.string("BANDS"));
                if (planeNames.size() != planes || planes == 1) planeNames.clear();
                if (planes == 1 && band.isEmpty()) {
                    const QStringList single = bandList(hdu.header.string("BANDS"));
                    if (single.size() == 1) band = single.front();
                }
                for (long long plane = 0; plane < planes; ++plane) {
                    Item item;
                    item.file = file;
                    item.hdu = &hdu;
                    item.primary = &primary;
                    item.plane = plane;
                    item.role = name.role;
                    item.band =
                        planes > 1 && name.role != HduRole::Isolated ? planeNames.value(static_cast<int>(plane)) : band;
                    item.named = !item.band.isEmpty();
                    item.truthObject = static_cast<int>(plane);
                    item.label = label;
                    m_items.push_back(item);
                }
                what = roleText(name.role);
                if (!tableRole && !band.isEmpty()) {
                    what += QStringLiteral(" of ") + band;
                }
            }
        } else if (hdu.kind == FitsHdu::Kind::Empty) {
            what = QStringLiteral("header only");
        }
        listing.hdus << QStringLiteral("%1 %2 %3: %4")
                            .arg(hdu.number)
                            .arg(hdu.name.isEmpty() ? QStringLiteral("-") : hdu.name, hdu.shapeText(), what);
    }
    m_listing.push_back(listing);
}

void SceneAssembler::nameBands() {
    std::vector<Item*> images;
    for (Item& item : m_items) {
        if (item.role == HduRole::Image) images.push_back(&item);
    }
    std::map<HduRole, int> counts;
    for (Item& item : m_items) {
        item.order = counts[item.role]++;
    }
    if (!m_options.bands.isEmpty()) {
        if (m_options.bands.size() != static_cast<qsizetype>(images.size())) {
            throw UsageError(QStringLiteral("%1 names were given for the bands (%2), but %3 has %4 image planes")
                                 .arg(m_options.bands.size())
                                 .arg(listText(m_options.bands), m_files.id)
                                 .arg(images.size()));
        }
        for (std::size_t i = 0; i < images.size(); ++i) {
            const QString old = images[i]->band;
            const QString given = m_options.bands[static_cast<qsizetype>(i)].trimmed();
            // Planes of other roles follow the image that they were named after.
            if (!old.isEmpty()) {
                for (Item& item : m_items) {
                    if (item.role != HduRole::Image && item.named && item.band.compare(old, Qt::CaseInsensitive) == 0) {
                        item.band = given;
                    }
                }
            }
            images[i]->band = given;
            images[i]->named = true;
        }
    }
}

std::vector<std::vector<const SceneAssembler::Item*>> SceneAssembler::grids() const {
    std::vector<const Item*> images;
    bool anyNamed = false;
    std::set<std::pair<int, int>> sizes;
    for (const Item& item : m_items) {
        if (item.role != HduRole::Image) continue;
        images.push_back(&item);
        anyNamed = anyNamed || item.named;
        sizes.insert({item.hdu->size().width, item.hdu->size().height});
    }
    std::vector<std::vector<const Item*>> found;
    if (m_options.resample) {
        found.push_back(images);
        return found;
    }
    // Many unnamed images of many sizes are a collection of stamps, not bands.
    const bool collection = !anyNamed && sizes.size() > 1;
    std::vector<double> scales;
    for (const Item* item : images) {
        const double scale = pixelScaleOf(*item->hdu, *item->primary, wcsOf(*item->hdu));
        std::size_t home = found.size();
        for (std::size_t g = 0; g < found.size(); ++g) {
            const Item& first = *found[g].front();
            const bool sameHdu = first.hdu == item->hdu;
            const bool sameScale = scale <= 0.0 || scales[g] <= 0.0 || std::abs(scale / scales[g] - 1.0) < 0.01;
            if (sameHdu || (!collection && first.hdu->size() == item->hdu->size() && sameScale)) {
                home = g;
                break;
            }
        }
        if (home == found.size()) {
            found.emplace_back();
            scales.push_back(scale);
        }
        found[home].push_back(item);
    }
    return found;
}

std::vector<ScenePtr> SceneAssembler::assemble() {
    for (const QString& path : m_files.files) {
        if (m_progress) m_progress->check();
        collect(FitsFile::open(path));
    }
    const auto images =
        std::count_if(m_items.begin(), m_items.end(), [](const Item& i) { return i.role == HduRole::Image; });
    if (images == 0) {
        QString why = QStringLiteral("%1 holds no image").arg(listText(m_files.files));
        if (!m_warnings.isEmpty()) why += QStringLiteral(" (%1)").arg(m_warnings.front());
        throw ReadError(why);
    }
    nameBands();
    const auto sets = grids();
    std::vector<ScenePtr> scenes;
    std::set<QString> ids;
    for (const auto& set : sets) {
        if (m_progress) m_progress->check();
        auto scene = std::const_pointer_cast<Scene>(make(set));
        if (sets.size() > 1) {
            scene->id += QStringLiteral("_%1x%2").arg(scene->size.width).arg(scene->size.height);
            const QString base = scene->id;
            for (int n = 2; ids.contains(scene->id); ++n) {
                scene->id = base + QStringLiteral("_%1").arg(n);
            }
            ids.insert(scene->id);
        }
        scenes.push_back(scene);
    }
    return scenes;
}

const SceneAssembler::Item* SceneAssembler::partner(const Item& image, HduRole role,
                                                    const std::vector<const Item*>& images, cv::Size size,
                                                    QStringList& warnings) const {
    const auto fits = [&](const Item& item) { return size.empty() || item.hdu->size() == size; };
    const auto isOfAnotherImage = [&](const Item& item) {
        return std::any_of(m_items.begin(), m_items.end(), [&](const Item& other) {
            return other.role == HduRole::Image && &other != &image && other.named &&
                   other.band.compare(item.band, Qt::CaseInsensitive) == 0;
        });
    };
    std::vector<const Item*> free;
    const Item* misfit = nullptr;
    for (const Item& item : m_items) {
        if (item.role != role) continue;
        const bool sameBand = item.named && image.named && item.band.compare(image.band, Qt::CaseInsensitive) == 0;
        // Several images of one band in one file (a mosaic's chips) are told apart by EXTVER.
        if (sameBand && item.file == image.file && item.hdu->version != image.hdu->version &&
            std::any_of(m_items.begin(), m_items.end(), [&](const Item& o) {
                return o.role == role && o.file == image.file && o.hdu->version == image.hdu->version;
            })) {
            continue;
        }
        if (sameBand || (!item.named && !isOfAnotherImage(item))) {
            if (!fits(item)) {
                misfit = &item;
                continue;
            }
            if (sameBand) return &item;
            free.push_back(&item);
        }
    }
    // Without a band: the same EXTVER in the same file, the same place among as many, or one for all.
    for (const Item* item : free) {
        if (images.size() > 1 && item->file == image.file && item->hdu->version == image.hdu->version &&
            image.hdu->version > 1) {
            return item;
        }
    }
    std::vector<const Item*> ofRole;
    for (const Item& item : m_items) {
        if (item.role == role) ofRole.push_back(&item);
    }
    if (ofRole.size() == images.size() && ofRole.size() > 1 && free.size() == ofRole.size()) {
        const auto place = std::find(images.begin(), images.end(), &image) - images.begin();
        return ofRole[static_cast<std::size_t>(place)];
    }
    const bool forAll = images.size() == 1 || role == HduRole::Mask || role == HduRole::Quality || role == HduRole::Psf;
    if (free.size() == 1 && forAll) return free.front();
    // One image of one file: whatever else is in the file belongs to it, also where the names disagree.
    if (free.empty() && misfit) {
        warnings << QStringLiteral("%1 does not fit %2: it is %3x%4 pixels, not %5x%6")
                        .arg(misfit->label, image.label)
                        .arg(misfit->hdu->size().width)
                        .arg(misfit->hdu->size().height)
                        .arg(size.width)
                        .arg(size.height);
    }
    return nullptr;
}

QString SceneAssembler::psfOption(const QString& band) const {
    for (auto it = m_options.psf.begin(); it != m_options.psf.end(); ++it) {
        if (it.key().compare(band, Qt::CaseInsensitive) == 0) return it.value();
    }
    return m_options.psf.value(QString());
}

void SceneAssembler::readPsf(Band& band, const Item& image, const std::vector<const Item*>& images, Scene& scene,
                             BandNotes& notes) const {
    const auto fromHdu = [](const FitsFile& file, const FitsHdu& hdu, long long plane) {
        const cv::Size size = hdu.size();
        if (size.width > kMostPsfSide || size.height > kMostPsfSide) {
            throw ReadError(QStringLiteral("it is %1x%2 pixels, too large for a PSF").arg(size.width).arg(size.height));
        }
        return Psf::fromImage(file.read(hdu, plane, Box::of(size), CV_32F), Psf::Origin::Given);
    };
    if (const QString option = psfOption(band.name); !option.isEmpty()) {
        static const QRegularExpression form(
            QStringLiteral("^\\s*([0-9.eE+\\-]+)\\s*(arcsec|\"|pix|px|pixels?)?\\s*$"));
        if (const auto match = form.match(option); match.hasMatch() && !QFileInfo::exists(option)) {
            double fwhm = match.captured(1).toDouble();
            const bool inPixels = match.captured(2).startsWith(QLatin1Char('p'));
            if (!inPixels && !(scene.pixelScale > 0.0)) {
                throw UsageError(QStringLiteral("--psf %1: the pixel scale of %2 is not known, give pixels (3.2pix)")
                                     .arg(option, scene.id));
            }
            if (!inPixels) fwhm /= scene.pixelScale;
            band.psf = Psf::moffat(fwhm, 2.5, Psf::Origin::Given);
            return;
        }
        const FitsFilePtr file = FitsFile::open(option);
        for (const FitsHdu& hdu : file->hdus()) {
            if (hdu.size().empty()) continue;
            const QString name =
                filterOf(hdu.header).isEmpty() ? parseExtensionName(hdu.name).rest : filterOf(hdu.header);
            const bool mine = name.compare(band.name, Qt::CaseInsensitive) == 0;
            const bool alone = hdu.planes() == 1 && file->hdus().size() <= 2;
            if (!mine && !alone && hdu.planes() != static_cast<long long>(images.size())) continue;
            const auto place = std::find(images.begin(), images.end(), &image) - images.begin();
            band.psf = fromHdu(*file, hdu, hdu.planes() > 1 ? place : 0);
            return;
        }
        throw ReadError(QStringLiteral("%1 holds no PSF for band %2").arg(option, band.name));
    }
    if (const Item* given = partner(image, HduRole::Psf, images, {}, scene.warnings)) {
        try {
            band.psf = fromHdu(*given->file, *given->hdu, given->plane);
            if (!given->named && images.size() > 1 && std::count_if(m_items.begin(), m_items.end(), [](const Item& i) {
                                                          return i.role == HduRole::Psf;
                                                      }) == 1) {
                notes.add(band.name, QStringLiteral("the one PSF that was given is taken for every band"));
            }
            return;
        } catch (const ReadError& e) {
            scene.warnings << QStringLiteral("band %1: the PSF in %2 cannot be used: %3")
                                  .arg(band.name, given->label, e.message());
        }
    }
    if (const auto fwhm = readFwhm(image.hdu->header, image.primary->header, scene.pixelScale)) {
        band.psf = Psf::moffat(fwhm->pixels, 2.5, Psf::Origin::FromFwhm);
        notes.add(band.name, QStringLiteral("the PSF is a Moffat profile (beta 2.5) of FWHM %1 px, from %2")
                                 .arg(fwhm->pixels, 0, 'f', 2)
                                 .arg(fwhm->keyword));
        return;
    }
    if (const auto stars = estimateStarPsf(band)) {
        band.psf = stars->psf;
        notes.add(band.name, QStringLiteral("no PSF in the file; estimated from %1 stars: FWHM %2 px")
                                 .arg(stars->stars)
                                 .arg(band.psf.fwhmPixels, 0, 'f', 2));
        return;
    }
    notes.add(band.name,
              QStringLiteral("the PSF is not known (none in the file, too few stars to estimate it; --psf gives one)"));
}

void SceneAssembler::readBand(Band& band, const Item& image, const std::vector<const Item*>& images, Scene& scene,
                              BandNotes& notes) const {
    band.image = std::make_shared<FitsPlane>(image.file, *image.hdu, image.plane, CV_32F);
    band.wavelength = filterWavelength(band.name);
    const FitsHeader& header = image.hdu->header;

    const Calibration calibration = readCalibration(header, image.primary->header);
    band.zeroPoint = calibration.zeroPoint;
    band.gain = calibration.gain;
    band.skySubtracted = calibration.skySubtracted;
    for (const QString& note : calibration.notes) {
        notes.add(band.name, note);
    }
    bool zeroPointGiven = false;
    for (auto it = m_options.zeroPoint.begin(); it != m_options.zeroPoint.end(); ++it) {
        if (it.key().isEmpty() && !zeroPointGiven) band.zeroPoint = *it;
        if (!it.key().isEmpty() && it.key().compare(band.name, Qt::CaseInsensitive) == 0) {
            band.zeroPoint = *it;
            zeroPointGiven = true;
        }
    }
    if (std::isnan(band.zeroPoint)) {
        notes.add(band.name, QStringLiteral("the zero point is not known, so there are no magnitudes"));
    }

    // Mask first: the variance may be estimated around it.
    if (const Item* mask = partner(image, HduRole::Mask, images, image.hdu->size(), scene.warnings)) {
        const auto planes = mask->hdu->header.withPrefix("MP_");
        const bool isFloat = mask->hdu->bitpix < 0;
        band.mask = std::make_shared<FitsPlane>(mask->file, *mask->hdu, mask->plane, CV_32S,
                                                isFloat ? FitsPlane::Meaning::Flag : FitsPlane::Meaning::Value);
        for (const auto& [key, value] : planes) {
            bool ok = false;
            const int bit = value.toInt(&ok);
            if (ok && bit >= 0 && bit < 32) band.maskNames.insert(QString::fromStdString(key.substr(3)), bit);
        }
        if (band.maskNames.isEmpty() && isFloat) {
            band.maskNames.insert(QStringLiteral("BAD"), 0);
            notes.add(band.name, QStringLiteral("pixels where the mask is not 0 are unusable"));
        } else if (band.maskNames.isEmpty()) {
            band.maskNames = lsstMaskPlanes();
            notes.add(band.name,
                      QStringLiteral("the mask's bits have no names; the order of the LSST pipelines is assumed "
                                     "(0 BAD, 1 SAT, 2 INTRP, 3 CR, 4 EDGE, 5 DETECTED, ...)"));
        }
    } else if (const Item* quality = partner(image, HduRole::Quality, images, image.hdu->size(), scene.warnings)) {
        band.mask = std::make_shared<FitsPlane>(quality->file, *quality->hdu, quality->plane, CV_32S);
        band.maskNames = qualityPlanes(image.primary->header.string("TELESCOP"));
        notes.add(band.name, QStringLiteral("data-quality bits are read as the telescope's pipeline sets them"));
    }

    const FitsHeader* varianceHeader = nullptr;
    struct Source {
        HduRole role;
        FitsPlane::Meaning meaning;
    };
    for (const Source& source :
         {Source{HduRole::Variance, FitsPlane::Meaning::Value}, Source{HduRole::Sigma, FitsPlane::Meaning::Sigma},
          Source{HduRole::Weight, FitsPlane::Meaning::InverseVariance}}) {
        const Item* item = partner(image, source.role, images, image.hdu->size(), scene.warnings);
        if (!item) continue;
        band.variance = std::make_shared<FitsPlane>(item->file, *item->hdu, item->plane, CV_32F, source.meaning);
        varianceHeader = &item->hdu->header;
        break;
    }
    if (band.variance) {
        // Our own files say it; elsewhere a constant plane can only be the sky's.
        const QString said = varianceHeader ? varianceHeader->string("SKYONLY") : QString();
        if (said == QLatin1String("T") || said == QLatin1String("F")) {
            band.varianceIsSkyOnly = said == QLatin1String("T") && band.gain > 0.0;
        } else if (looksConstant(*band.variance)) {
            band.varianceIsSkyOnly = band.gain > 0.0;
            notes.add(
                band.name,
                band.varianceIsSkyOnly
                    ? QStringLiteral("the variance is constant, so it is the sky's alone; the objects' own Poisson "
                                     "noise is added with gain %1")
                          .arg(band.gain)
                    : QStringLiteral("the variance is constant, so it is the sky's alone; without a gain the "
                                     "objects' own noise is missing"));
        }
    } else {
        band.variance = estimateVariance(band.image, band.mask, band.unusableBits());
        band.varianceIsSkyOnly = band.gain > 0.0;
        notes.add(band.name,
                  QStringLiteral("no variance in the file; the sky's is estimated from the image%1")
                      .arg(band.gain > 0.0
                               ? QStringLiteral(", the objects' Poisson noise added with gain %1").arg(band.gain)
                               : QString()));
    }
}

void SceneAssembler::resampleBand(Band& band, const Item& item, const Wcs& wcs, Scene& scene, BandNotes& notes) const {
    const cv::Size size = item.hdu->size();
    const bool valid = wcs.isValid() && scene.wcs.isValid();
    const double offset = valid && size == scene.size ? largestOffset(scene.wcs, wcs, size) : 0.0;
    if (size == scene.size && (!valid || offset < kSamePixels)) return;
    if (!valid) {
        throw ReadError(
            QStringLiteral("%1 is %2x%3 pixels, the first band %4x%5, and without a WCS it cannot be resampled")
                .arg(item.label)
                .arg(size.width)
                .arg(size.height)
                .arg(scene.size.width)
                .arg(scene.size.height));
    }
    const auto grid = std::make_shared<const ResampleGrid>(wcs, scene.wcs, size, scene.size);
    if (!grid->overlaps()) {
        throw ReadError(QStringLiteral("%1 covers another part of the sky than the first band").arg(item.label));
    }
    band.image = resampleImage(band.image, grid);
    band.variance = resampleVariance(band.variance, grid);
    if (band.mask) band.mask = resampleMask(band.mask, grid);
    if (band.psf.known()) band.psf = resamplePsf(band.psf, *grid);
    notes.add(band.name,
              QStringLiteral("resampled onto the grid of the first band by the WCS (bicubic, flux conserving); "
                             "neighbouring pixels share noise"));
}

namespace {

/// A row an object and band: object (row of the truth table from 1), band, x0, y0, nx, ny and the light of its box.
std::vector<std::vector<PlanePtr>> readCutouts(const Table& table, const Scene& scene, size_t objects) {
    const auto column = [&](const char* name) { return table.find(QLatin1String(name)); };
    const TableColumn *object = column("object"), *band = column("band"), *x0 = column("x0"), *y0 = column("y0"),
                      *nx = column("nx"), *ny = column("ny"), *light = column("light");
    const auto* arrays = light ? std::get_if<TableColumn::Arrays>(&light->values) : nullptr;
    if (!object || !band || !x0 || !y0 || !nx || !ny || !arrays)
        throw ReadError(QStringLiteral("ISOCUTS has not the columns object, band, x0, y0, nx, ny and light"));
    std::vector<std::vector<PlanePtr>> out(scene.bands.size(), std::vector<PlanePtr>(objects));
    for (qsizetype i = 0; i < table.rows(); ++i) {
        const int b = scene.bandIndex(band->text(i));
        const double row = object->number(i);
        if (b < 0 || !(row >= 1.0) || row > static_cast<double>(objects)) continue;
        const int width = static_cast<int>(nx->number(i)), height = static_cast<int>(ny->number(i));
        std::vector<float> values;
        for (const cv::Mat& part : (*arrays)[static_cast<size_t>(i)]) {
            values.insert(values.end(), part.begin<float>(), part.end<float>());
        }
        if (width < 0 || height < 0 || values.size() != static_cast<size_t>(width) * static_cast<size_t>(height)) {
            throw ReadError(QStringLiteral("ISOCUTS: row %1 holds %2 values, not %3 x %4")
                                .arg(i + 1)
                                .arg(values.size())
                                .arg(width)
                                .arg(height));
        }
        const cv::Mat pixels = values.empty() ? cv::Mat() : cv::Mat(height, width, CV_32F, values.data()).clone();
        out[static_cast<size_t>(b)][static_cast<size_t>(row) - 1] = std::make_shared<CutoutPlane>(
            scene.size, pixels, static_cast<int>(x0->number(i)), static_cast<int>(y0->number(i)));
    }
    return out;
}

} // namespace

void SceneAssembler::readTruth(Scene& scene, const std::vector<const Item*>& images) const {
    const Item* table = nullptr;
    std::vector<const Item*> isolated;
    for (const Item& item : m_items) {
        if (item.role == HduRole::Truth && !table) table = &item;
        if (item.role == HduRole::Isolated && item.hdu->size() == scene.size) isolated.push_back(&item);
        if (item.role == HduRole::Peaks && scene.filePeaks.empty()) {
            const Table peaks = item.file->readTable(*item.hdu);
            const TableColumn *x = peaks.find(QStringLiteral("x")), *y = peaks.find(QStringLiteral("y"));
            if (!x || !y || !isNumeric(*x) || !isNumeric(*y)) {
                scene.warnings << QStringLiteral("%1 has no columns x and y").arg(item.label);
                continue;
            }
            for (qsizetype i = 0; i < peaks.rows(); ++i) {
                scene.filePeaks.push_back({x->number(i), y->number(i)});
            }
        }
        if (item.role == HduRole::Footprint && item.hdu->size() == scene.size) {
            scene.footprintMask =
                std::make_shared<FitsPlane>(item.file, *item.hdu, item.plane, CV_32S, FitsPlane::Meaning::Flag);
        }
    }
    if (!table) return;
    const Table rows = table->file->readTable(*table->hdu);
    const TableColumn *x = rows.find(QStringLiteral("x")), *y = rows.find(QStringLiteral("y"));
    if (!x || !y || !isNumeric(*x) || !isNumeric(*y)) {
        scene.warnings << QStringLiteral("%1 has no columns x and y: no truth").arg(table->label);
        return;
    }
    Truth truth;
    truth.objects = truthObjects(rows, scene.bands);
    for (const Band& band : scene.bands) {
        std::vector<PlanePtr> alone;
        for (const Item* item : isolated) {
            if (item->band.compare(band.name, Qt::CaseInsensitive) == 0) {
                alone.push_back(std::make_shared<FitsPlane>(item->file, *item->hdu, item->plane, CV_32F));
            }
        }
        if (alone.size() != truth.objects.size()) alone.clear();
        truth.isolated.push_back(std::move(alone));
        for (const Item& item : m_items) {
            if (item.role == HduRole::Noiseless && item.hdu->size() == scene.size &&
                item.band.compare(band.name, Qt::CaseInsensitive) == 0) {
                truth.noiseless.push_back(std::make_shared<FitsPlane>(item.file, *item.hdu, item.plane, CV_32F));
                break;
            }
        }
    }
    for (const Item& item : m_items) {
        if (item.role != HduRole::IsolatedCutouts) continue;
        const auto cutouts = readCutouts(item.file->readTable(*item.hdu, true), scene, truth.objects.size());
        for (size_t b = 0; b < cutouts.size(); ++b) {
            const bool any = std::any_of(cutouts[b].begin(), cutouts[b].end(), [](const PlanePtr& p) { return p; });
            if (any && truth.isolated[b].empty()) truth.isolated[b] = cutouts[b];
        }
    }
    // A band may lack them.
    if (std::all_of(truth.isolated.begin(), truth.isolated.end(), [](const auto& alone) { return alone.empty(); })) {
        truth.isolated.clear();
    }
    if (truth.noiseless.size() != scene.bands.size()) truth.noiseless.clear();
    for (const Item& item : m_items) {
        if (item.role == HduRole::TruthSegmentation && item.hdu->size() == scene.size) {
            truth.segmentation = std::make_shared<FitsPlane>(item.file, *item.hdu, item.plane, CV_32S);
        }
    }
    scene.truth = std::move(truth);
    Q_UNUSED(images)
}

ScenePtr SceneAssembler::make(const std::vector<const Item*>& images) const {
    auto scene = std::make_shared<Scene>();
    scene->id = m_files.id;
    scene->files = m_listing;
    scene->warnings = m_warnings;
    scene->assumptions = m_assumptions;
    const Item& reference = *images.front();
    scene->size = reference.hdu->size();

    std::vector<Wcs> solutions;
    for (const Item* item : images) {
        solutions.push_back(wcsOf(*item->hdu));
        if (!scene->wcs.isValid() && solutions.back().isValid()) scene->wcs = solutions.back();
    }
    scene->pixelScale = pixelScaleOf(*reference.hdu, *reference.primary, scene->wcs);
    if (!scene->wcs.isValid()) {
        scene->assumptions << QStringLiteral("no sky positions: %1").arg(solutions.front().problem());
    }
    if (!(scene->pixelScale > 0.0)) scene->assumptions << QStringLiteral("the pixel scale is not known");

    BandNotes notes;
    std::map<QString, int> used;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (m_progress) m_progress->check();
        const Item& item = *images[i];
        Band band;
        band.name = item.band.isEmpty() ? QString::number(i + 1) : item.band;
        if (const int n = used[band.name.toLower()]++; n > 0) {
            scene->warnings << QStringLiteral("band %1 is there more than once: %2 is called %1_%3")
                                   .arg(band.name, item.label)
                                   .arg(n + 1);
            band.name += QStringLiteral("_%1").arg(n + 1);
        }
        readBand(band, item, images, *scene, notes);
        readPsf(band, item, images, *scene, notes);
        if (m_options.resample && i > 0 && item.hdu != reference.hdu)
            resampleBand(band, item, solutions[i], *scene, notes);
        scene->bands.push_back(std::move(band));
    }
    scene->assumptions << notes.sentences(scene->bands.size());
    const bool unnamed = std::any_of(images.begin(), images.end(), [](const Item* i) { return !i->named; });
    if (unnamed && images.size() > 1) {
        scene->assumptions << QStringLiteral(
            "the bands have no names in the files; they are numbered (--bands names them)");
    } else if (unnamed) {
        scene->assumptions << QStringLiteral("the band has no name in the file (--bands names it)");
    }

    // What the sky says of the bands.
    QStringList seenWarnings;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const QString warning = solutions[i].warning();
        if (!warning.isEmpty() && !seenWarnings.contains(warning)) seenWarnings << warning;
        if (i == 0 || !solutions[i].isValid() || !solutions[0].isValid()) continue;
        if (images[i]->hdu == images[0]->hdu || m_options.resample) continue;
        const double offset = largestOffset(solutions[0], solutions[i], scene->size);
        if (offset > kRegisteredPixels) {
            scene->warnings << QStringLiteral(
                                   "the bands are not registered: by their WCS %1 lies up to %2 pixels off %3 "
                                   "(--resample brings them together)")
                                   .arg(scene->bands[i].name)
                                   .arg(offset, 0, 'f', 1)
                                   .arg(scene->bands[0].name);
        }
    }
    scene->warnings << seenWarnings;
    if (scene->wcs.isValid()) {
        for (const FitsHeader* header : {&reference.hdu->header, &reference.primary->header}) {
            const auto said = header->number("PIXSCALE");
            if (said && *said > 0.0 && std::abs(*said / scene->pixelScale - 1.0) > 0.05) {
                scene->warnings << QStringLiteral("PIXSCALE says %1 arcsec, the WCS %2: the WCS is taken")
                                       .arg(*said)
                                       .arg(scene->pixelScale, 0, 'g', 4);
                break;
            }
        }
    }
    readTruth(*scene, images);

    // By wavelength, where all are known.
    std::vector<std::size_t> order(scene->bands.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    const bool known =
        std::all_of(scene->bands.begin(), scene->bands.end(), [](const Band& b) { return b.wavelength > 0.0; });
    if (known) {
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return scene->bands[a].wavelength < scene->bands[b].wavelength;
        });
        std::vector<Band> sorted;
        for (const std::size_t i : order) {
            sorted.push_back(std::move(scene->bands[i]));
        }
        scene->bands = std::move(sorted);
        if (scene->truth) {
            Truth& truth = *scene->truth;
            for (TruthObject& object : truth.objects) {
                std::vector<double> flux;
                flux.reserve(order.size());
                for (const std::size_t i : order) {
                    flux.push_back(object.flux[i]);
                }
                object.flux = std::move(flux);
            }
            const auto reorder = [&](auto& perBand) {
                if (perBand.empty()) return;
                std::remove_reference_t<decltype(perBand)> moved;
                for (const std::size_t i : order) {
                    moved.push_back(std::move(perBand[i]));
                }
                perBand = std::move(moved);
            };
            reorder(truth.isolated);
            reorder(truth.noiseless);
        }
    }
    return scene;
}

} // namespace blendscope
