#include "core/CutoutPlane.h"
#include "io/FitsWriter.h"
#include "io/SceneReader.h"

#include <QSet>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

FitsCard card(const char* key, const QVariant& value, const char* comment = "") {
    return {QLatin1String(key), value, QLatin1String(comment)};
}

Table truthTable(const Scene& scene) {
    const Truth& truth = *scene.truth;
    TableColumn::Integers ids;
    QStringList kinds;
    TableColumn::Doubles x, y, hlr;
    std::vector<TableColumn::Doubles> flux(scene.bands.size());
    QStringList more;
    QSet<QString> taken = {QStringLiteral("id"), QStringLiteral("kind"), QStringLiteral("x"), QStringLiteral("y"),
                           QStringLiteral("hlr")};
    for (const Band& band : scene.bands) {
        taken.insert(QStringLiteral("flux_") + band.name.toLower());
    }
    for (const TruthObject& object : truth.objects) {
        ids.push_back(object.id);
        kinds << object.kind;
        x.push_back(object.x);
        y.push_back(object.y);
        hlr.push_back(object.hlrArcsec);
        for (std::size_t b = 0; b < flux.size(); ++b) {
            flux[b].push_back(b < object.flux.size() ? object.flux[b] : std::numeric_limits<double>::quiet_NaN());
        }
        for (auto it = object.columns.begin(); it != object.columns.end(); ++it) {
            if (taken.contains(it.key().toLower())) continue;
            taken.insert(it.key().toLower());
            more << it.key();
        }
    }
    Table table;
    table.name = QStringLiteral("TRUTH");
    const auto add = [&](const QString& name, const QString& unit, auto values) {
        table.columns.push_back({name, unit, std::move(values)});
    };
    add(QStringLiteral("id"), {}, ids);
    add(QStringLiteral("kind"), {}, kinds);
    add(QStringLiteral("x"), QStringLiteral("pix"), x);
    add(QStringLiteral("y"), QStringLiteral("pix"), y);
    for (std::size_t b = 0; b < flux.size(); ++b) {
        add(QStringLiteral("flux_") + scene.bands[b].name, QStringLiteral("count"), flux[b]);
    }
    add(QStringLiteral("hlr"), QStringLiteral("arcsec"), hlr);
    for (const QString& name : more) {
        TableColumn::Doubles values;
        for (const TruthObject& object : truth.objects) {
            values.push_back(object.columns.value(name, std::numeric_limits<double>::quiet_NaN()));
        }
        add(name, {}, values);
    }
    return table;
}

// Isolated images are written at the scene's size up to this many pixels; beyond, as cut-outs of as many.
constexpr double kMostIsolatedPixels = 64e6;
// Light below this share of the sky's noise per pixel is cut off.
constexpr float kFaintest = 1e-3f;

float typicalNoise(const Band& band) {
    if (!band.variance) return 0.0f;
    const cv::Size size = band.variance->size();
    const cv::Mat some = band.variance->readSampled(Box::of(size), std::max({1, size.width / 64, size.height / 64}));
    std::vector<float> values;
    for (int y = 0; y < some.rows; ++y) {
        for (int x = 0; x < some.cols; ++x) {
            const float v = some.at<float>(y, x);
            if (v > 0.0f && std::isfinite(v)) values.push_back(v);
        }
    }
    if (values.empty()) return 0.0f;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return std::sqrt(*middle);
}

/// A row an object and band, with the light of its box.
Table cutoutTable(const Scene& scene) {
    const Truth& truth = *scene.truth;
    std::vector<std::size_t> order(truth.objects.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    const auto drawn = [&](std::size_t i) {
        return !(truth.objects[i].columns.value(QStringLiteral("irregular"), 0.0) > 0.0);
    };
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !drawn(i); });
    std::vector<float> limit;
    for (const Band& band : scene.bands) {
        limit.push_back(kFaintest * typicalNoise(band));
    }
    TableColumn::Integers object, x0, y0, nx, ny;
    QStringList bands;
    TableColumn::Arrays light;
    double pixels = 0.0;
    for (const std::size_t i : order) {
        for (std::size_t b = 0; b < scene.bands.size() && pixels <= kMostIsolatedPixels; ++b) {
            if (b >= truth.isolated.size() || i >= truth.isolated[b].size() || !truth.isolated[b][i]) continue;
            const Plane& plane = *truth.isolated[b][i];
            const auto* small = dynamic_cast<const CutoutPlane*>(&plane);
            const auto own =
                small ? small->trimmed(limit[b]) : CutoutPlane(plane.size(), plane.readAll(), 0, 0).trimmed(limit[b]);
            object.push_back(static_cast<int>(i) + 1);
            bands << scene.bands[b].name;
            x0.push_back(own->cutoutBox().x0);
            y0.push_back(own->cutoutBox().y0);
            nx.push_back(own->cutoutBox().width);
            ny.push_back(own->cutoutBox().height);
            light.push_back(own->cutout().empty() ? std::vector<cv::Mat>() : std::vector<cv::Mat>{own->cutout()});
            pixels += static_cast<double>(own->cutoutBox().area());
        }
    }
    Table table;
    table.name = QStringLiteral("ISOCUTS");
    const QString pix = QStringLiteral("pix");
    table.columns = {{QStringLiteral("object"), {}, std::move(object), -1},
                     {QStringLiteral("band"), {}, std::move(bands), -1},
                     {QStringLiteral("x0"), pix, std::move(x0), -1},
                     {QStringLiteral("y0"), pix, std::move(y0), -1},
                     {QStringLiteral("nx"), pix, std::move(nx), -1},
                     {QStringLiteral("ny"), pix, std::move(ny), -1},
                     {QStringLiteral("light"), QStringLiteral("count"), std::move(light), -1}};
    return table;
}

} // namespace

void writeScene(const Scene& scene, const QString& path) {
    FitsWriter writer(path);
    std::vector<FitsCard> primary = {card("SCENEID", scene.id),
                                     card("BANDS", scene.bandNames().join(QLatin1Char(',')))};
    if (scene.pixelScale > 0.0) primary.push_back(card("PIXSCALE", scene.pixelScale, "[arcsec/pixel]"));
    writer.addEmpty(primary);

    const std::string wcs = scene.wcs.toHeader();
    for (const Band& band : scene.bands) {
        std::vector<FitsCard> cards = {card("FILTER", band.name)};
        if (!std::isnan(band.zeroPoint)) {
            cards.push_back(card("MAGZERO", band.zeroPoint, "mag = MAGZERO - 2.5 log10(counts)"));
        }
        if (band.gain > 0.0) cards.push_back(card("GAIN", band.gain, "electrons per count"));
        cards.push_back(card("SKYSUB", band.skySubtracted, "the sky is taken off"));
        if (band.psf.known() && scene.pixelScale > 0.0) {
            cards.push_back(card("PSFFWHM", band.psf.fwhmPixels * scene.pixelScale, "[arcsec]"));
        }
        writer.addPlanes({band.image}, QStringLiteral("SCI_") + band.name, cards, wcs);
    }
    for (const Band& band : scene.bands) {
        if (!band.variance) continue;
        writer.addPlanes({band.variance}, QStringLiteral("VAR_") + band.name,
                         {card("FILTER", band.name),
                          card("SKYONLY", band.varianceIsSkyOnly, "lacks the objects' own Poisson noise")});
    }
    for (const Band& band : scene.bands) {
        if (!band.mask) continue;
        std::vector<FitsCard> cards = {card("FILTER", band.name)};
        std::string names;
        for (auto it = band.maskNames.begin(); it != band.maskNames.end(); ++it) {
            // Names of more than five letters need the HIERARCH convention.
            std::string line = "HIERARCH MP_" + it.key().toUpper().toStdString() + " = " + std::to_string(*it);
            line.resize(80, ' ');
            names += line;
        }
        writer.addPlanes({band.mask}, QStringLiteral("MASK_") + band.name, cards, names);
    }
    for (const Band& band : scene.bands) {
        if (band.psf.known()) {
            writer.addImage(band.psf.image, QStringLiteral("PSF_") + band.name, {card("FILTER", band.name)});
        }
    }
    if (scene.footprintMask) writer.addPlanes({scene.footprintMask}, QStringLiteral("FOOTPRNT"));
    if (!scene.filePeaks.empty()) {
        TableColumn::Doubles x, y;
        for (const PixelPosition& p : scene.filePeaks) {
            x.push_back(p.x);
            y.push_back(p.y);
        }
        Table table;
        table.name = QStringLiteral("PEAKS");
        table.columns.push_back({QStringLiteral("x"), QStringLiteral("pix"), x});
        table.columns.push_back({QStringLiteral("y"), QStringLiteral("pix"), y});
        writer.addTable(table);
    }
    if (scene.truth) {
        const Truth& truth = *scene.truth;
        writer.addTable(truthTable(scene));
        const bool isolatedFit =
            double(truth.objects.size()) * double(scene.bands.size()) * scene.size.area() <= kMostIsolatedPixels;
        for (std::size_t b = 0; b < scene.bands.size(); ++b) {
            const QString& name = scene.bands[b].name;
            if (isolatedFit && b < truth.isolated.size() && !truth.isolated[b].empty() &&
                std::all_of(truth.isolated[b].begin(), truth.isolated[b].end(), [](const PlanePtr& p) { return p; })) {
                writer.addPlanes(truth.isolated[b], QStringLiteral("ISO_") + name, {card("FILTER", name)});
            }
            if (b < truth.noiseless.size() && truth.noiseless[b]) {
                writer.addPlanes({truth.noiseless[b]}, QStringLiteral("NOISELESS_") + name, {card("FILTER", name)});
            }
        }
        const bool some = std::any_of(truth.isolated.begin(), truth.isolated.end(), [](const auto& planes) {
            return std::any_of(planes.begin(), planes.end(), [](const PlanePtr& p) { return p; });
        });
        const bool gaps = std::any_of(truth.isolated.begin(), truth.isolated.end(), [](const auto& planes) {
            return std::any_of(planes.begin(), planes.end(), [](const PlanePtr& p) { return !p; });
        });
        if (some && (!isolatedFit || gaps)) writer.addTable(cutoutTable(scene));
        if (truth.segmentation) writer.addPlanes({truth.segmentation}, QStringLiteral("SEGTRUTH"));
    }
    writer.commit();
}

} // namespace blendscope
