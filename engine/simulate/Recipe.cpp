#include "simulate/Recipe.h"

#include "core/Error.h"
#include "simulate/RecipeReader.h"

#include <cmath>

namespace blendscope {

namespace {

constexpr double kMostPixels = 16384.0;
constexpr double kMostObjects = 200000.0;
const std::vector<const char*> kKeys = {"name",   "title",    "survey",    "bands",         "size",
                                        "center", "exposure", "psf",       "band_settings", "offsets",
                                        "noise",  "isolated", "seeing",    "galaxies",      "stars",
                                        "groups", "objects",  "catalogue", "layout",        "artefacts"};

QString irregularKind(const RecipeReader& r, const char* key) {
    QString kind = r.text(key);
    if (kind != QLatin1String("spiral") && kind != QLatin1String("flocculent") && kind != QLatin1String("clumpy")) {
        r.fail(key, QStringLiteral("\"spiral\", \"flocculent\" or \"clumpy\""));
    }
    return kind;
}

/// An object but for its position.
Recipe::Placed readPlaced(const RecipeReader& o, const char* x, const char* y) {
    o.allow({"kind", x, y, "magnitude", "snr", "redshift", "type", "hlr", "bulge", "axis_ratio", "angle", "colour",
             "irregular"});
    const double drawn = std::numeric_limits<double>::quiet_NaN();
    Recipe::Placed p;
    const QString kind = o.text("kind", QStringLiteral("galaxy"));
    if (kind != QLatin1String("galaxy") && kind != QLatin1String("star")) {
        o.fail("kind", QStringLiteral("\"galaxy\" or \"star\""));
    }
    p.star = kind == QLatin1String("star");
    p.colour = o.number("colour", 0.0, 1.0, drawn);
    if (o.has("snr")) {
        p.snr = o.number("snr", 0.01, 1e7);
        p.wish.magnitude = o.number("magnitude", 5.0, 35.0, 23.0);
    } else {
        p.wish.magnitude = o.number("magnitude", 5.0, 35.0);
    }
    p.wish.redshift = o.number("redshift", 0.0, 5.0, drawn);
    p.wish.type = o.number("type", 0.0, 1.0, drawn);
    p.wish.hlrArcsec = o.number("hlr", 0.01, 100.0, drawn);
    p.wish.bulge = o.number("bulge", 0.0, 1.0, drawn);
    p.wish.axisRatio = o.number("axis_ratio", 0.05, 1.0, drawn);
    p.wish.angle = o.number("angle", -360.0, 360.0, drawn);
    if (o.isText("irregular")) {
        p.wish.irregular = Morphology::Wish{true, true, true, true, irregularKind(o, "irregular")};
    } else if (o.boolean("irregular", false)) {
        p.wish.irregular = Morphology::Wish();
    }
    p.wish.forced = true;
    return p;
}

std::vector<double> readNumbers(const RecipeReader& r, const char* key, double low, double high, double otherwise) {
    std::vector<double> out = r.numbers(key, low, high);
    if (out.empty()) out.push_back(otherwise);
    return out;
}

Recipe::Crowd readCrowd(const RecipeReader& r, bool galaxies, double areaArcmin2) {
    if (galaxies) {
        r.allow({"magnitudes", "density", "count", "clustered", "reach", "radius", "margin", "size_factor", "snr",
                 "irregular"});
    } else {
        r.allow({"magnitudes", "density", "count", "radius", "margin", "slope", "galactic"});
    }
    Recipe::Crowd c;
    c.magnitudes = r.range("magnitudes", 5.0, 35.0, galaxies ? std::pair(18.0, 26.0) : std::pair(17.0, 24.0));
    c.density = r.number("density", 0.0, 1e6, 0.0);
    if (r.has("count")) c.count = r.range("count", 0.0, kMostObjects, {0.0, 0.0});
    if (r.has("count") && r.has("density")) r.fail("count", QStringLiteral("either \"count\" or \"density\""));
    if (r.has("galactic")) {
        for (const char* key : {"density", "count", "slope"}) {
            if (r.has(key)) r.fail(key, QStringLiteral("none beside \"galactic\", which decides it"));
        }
        const std::vector<double> direction = r.numbers("galactic", -360.0, 360.0);
        if (direction.size() != 2 || std::abs(direction[1]) < StarCounts::kLeastLatitude ||
            std::abs(direction[1]) > 90.0) {
            r.fail("galactic", QStringLiteral("longitude and latitude, at least %1 deg from the plane")
                                   .arg(StarCounts::kLeastLatitude));
        }
        c.counts.emplace(direction[0], direction[1]);
        c.density = c.counts->density(c.magnitudes.first, c.magnitudes.second);
    }
    if (c.density * areaArcmin2 > kMostObjects) {
        r.fail(c.counts ? "galactic" : "density", QStringLiteral("at most %1 objects a scene").arg(kMostObjects));
    }
    c.clustered = r.number("clustered", 0.0, 0.95, 0.0);
    c.reachArcsec = r.number("reach", 0.1, 1e4, 5.0);
    c.radiusArcsec = r.number("radius", 0.0, 1e6, 0.0);
    c.margin = r.number("margin", 0.0, kMostPixels, 0.0);
    if (!galaxies) {
        c.slope = r.number("slope", 0.0, 1.0, c.slope);
        return c;
    }
    c.sizeFactor = r.number("size_factor", 0.01, 100.0, 1.0);
    if (r.has("snr")) c.snr = r.range("snr", 0.1, 1e6, {100.0, 100.0});
    if (r.isNumber("irregular")) {
        c.irregularShare = r.number("irregular", 0.0, 1.0);
    } else if (r.has("irregular")) {
        const RecipeReader i = r.object("irregular");
        i.allow({"share", "kind", "knots", "arms", "dust", "tides"});
        c.irregularShare = i.number("share", 0.0, 1.0, 1.0);
        c.irregular.knots = i.boolean("knots", true);
        c.irregular.arms = i.boolean("arms", true);
        c.irregular.dust = i.boolean("dust", true);
        c.irregular.tides = i.boolean("tides", true);
        if (i.has("kind")) c.irregular.kind = irregularKind(i, "kind");
    }
    return c;
}

} // namespace

Recipe Recipe::fromJson(const QJsonObject& json) {
    const RecipeReader r(json, QString());
    r.allow(kKeys);
    Recipe out;
    out.name = r.text("name", QStringLiteral("scene"));
    out.title = r.text("title", out.name);
    out.survey = Survey::load(r.text("survey"));
    if (r.has("bands")) {
        std::vector<SurveyBand> chosen;
        for (const QString& name : r.texts("bands")) {
            const int i = out.survey.bandIndex(name);
            QStringList known;
            for (const SurveyBand& b : out.survey.bands) {
                known << b.name;
            }
            if (i < 0)
                r.fail("bands", QStringLiteral("bands of %1: %2").arg(out.survey.id, known.join(QStringLiteral(", "))));
            for (const SurveyBand& b : chosen) {
                if (b.name == out.survey.bands[static_cast<size_t>(i)].name)
                    r.fail("bands", QStringLiteral("each band once"));
            }
            chosen.push_back(out.survey.bands[static_cast<size_t>(i)]);
        }
        if (chosen.empty()) r.fail("bands", QStringLiteral("at least one band"));
        out.survey.bands = chosen;
    }
    std::stable_sort(out.survey.bands.begin(), out.survey.bands.end(),
                     [](const SurveyBand& a, const SurveyBand& b) { return a.wavelength < b.wavelength; });

    if (!r.has("size")) r.fail("size", QStringLiteral("[width, height] in pixels"));
    const auto size = *r.pair("size", 8.0, kMostPixels);
    out.width = static_cast<int>(size.first);
    out.height = static_cast<int>(size.second);
    if (out.width != size.first || out.height != size.second) r.fail("size", QStringLiteral("whole pixels"));
    if (const auto centre = r.pair("center", -90.0, 360.0)) {
        if (centre->first < 0.0 || centre->second > 90.0) r.fail("center", QStringLiteral("[ra 0..360, dec -90..90]"));
        out.ra = centre->first;
        out.dec = centre->second;
    }
    const double exposure = r.number("exposure", 1e-6, 1e6, 1.0);
    for (SurveyBand& b : out.survey.bands) {
        b.exposureSeconds *= exposure;
    }
    const auto noiseKind = [](const RecipeReader& from, const char* key) {
        const QString wanted = from.text(key, QStringLiteral("poisson"));
        if (wanted != QLatin1String("poisson") && wanted != QLatin1String("none")) {
            from.fail(key, QStringLiteral("\"poisson\" or \"none\""));
        }
        return wanted == QLatin1String("poisson");
    };
    if (!r.has("noise") || r.isText("noise")) {
        out.noise = noiseKind(r, "noise");
    } else {
        const RecipeReader n = r.object("noise");
        n.allow({"kind", "correlation", "realization", "read"});
        out.noise = noiseKind(n, "kind");
        out.noiseCorrelation = n.number("correlation", 0.0, 50.0, 0.0);
        out.realization = static_cast<int>(n.number("realization", 0.0, 1e9, 0.0));
        for (SurveyBand& b : out.survey.bands) {
            b.readNoise = n.number("read", 0.0, 1e6, b.readNoise);
        }
    }
    out.isolated = r.boolean("isolated", true);
    out.artefacts = Artefacts::read(r.object("artefacts"));

    const RecipeReader seeing = r.object("seeing");
    seeing.allow({"factor", "scatter", "beta"});
    out.seeingFactor = seeing.number("factor", 0.05, 20.0, 1.0);
    out.seeingScatter = seeing.number("scatter", 0.0, 1.0, 0.0);
    out.psf = out.survey.psf;
    out.psf.beta = seeing.number("beta", 1.1, 50.0, out.psf.beta);
    const RecipeReader psf = r.object("psf");
    psf.allow({"kind", "beta", "mirror", "obscuration", "file", "ellipticity", "size_variation", "shape_variation"});
    out.psf = PsfShape::read(psf, out.psf);
    out.psfEllipticity = psf.range("ellipticity", 0.0, 0.6, {0.0, 0.0});
    out.psfSizeVariation = psf.number("size_variation", 0.0, 0.5, 0.0);
    out.psfShapeVariation = psf.number("shape_variation", 0.0, 0.2, 0.0);

    const RecipeReader settings = r.object("band_settings");
    out.bands.resize(out.survey.bands.size());
    out.offsetScatter = r.number("offsets", 0.0, 100.0, 0.0);
    for (const QString& name : settings.keys()) {
        const int i = out.survey.bandIndex(name);
        const QByteArray key = name.toUtf8();
        if (i < 0) settings.fail(key.constData(), QStringLiteral("a band of the recipe"));
        const RecipeReader b = settings.object(key.constData());
        b.allow({"seeing", "exposure", "offset"});
        const auto at = static_cast<size_t>(i);
        out.bands[at].seeing = b.number("seeing", 0.05, 20.0, 1.0);
        out.survey.bands[at].exposureSeconds *= b.number("exposure", 1e-6, 1e6, 1.0);
        if (const auto offset = b.pair("offset", -100.0, 100.0)) out.bands[at].offset = {offset->first, offset->second};
    }

    out.readObjects(r);
    return out;
}

Recipe Recipe::forScene(const QJsonObject& json, const Survey& survey, int width, int height) {
    const RecipeReader r(json, QString());
    r.allow(kKeys);
    // The scene has its own: left unsaid, a person would think that they were drawn.
    for (const char* key : {"artefacts", "psf", "band_settings", "offsets"}) {
        if (r.has(key)) r.fail(key, QStringLiteral("nothing here: an injection goes by the scene's own"));
    }
    Recipe out;
    out.name = r.text("name", QStringLiteral("injected"));
    out.survey = survey;
    out.width = width;
    out.height = height;
    out.bands.resize(survey.bands.size());
    out.readObjects(r);
    return out;
}

void Recipe::readObjects(const RecipeReader& r) {
    Recipe& out = *this;
    const double arcmin = out.survey.pixelScale / 60.0;
    const double area = out.width * arcmin * out.height * arcmin;
    out.galaxies = readCrowd(r.object("galaxies"), true, area);
    out.stars = readCrowd(r.object("stars"), false, area);

    if (r.has("catalogue")) out.catalogue = Catalogue::open(r.text("catalogue"));
    readLayout(r.object("layout"));

    for (const RecipeReader& g : r.list("groups")) {
        g.allow({"x", "y", "redshift", "members", "radius", "magnitudes", "central", "central_hlr"});
        Group group;
        group.x = g.number("x", -kMostPixels, 2.0 * kMostPixels);
        group.y = g.number("y", -kMostPixels, 2.0 * kMostPixels);
        group.redshift = g.number("redshift", 0.0, 5.0, 0.3);
        group.members = static_cast<int>(g.number("members", 0.0, 1e4));
        group.radiusArcsec = g.number("radius", 0.1, 1e4, 15.0);
        group.magnitudes = g.range("magnitudes", 5.0, 35.0, group.magnitudes);
        if (g.has("central")) group.central = g.number("central", 5.0, 35.0);
        group.centralHlrArcsec = g.number("central_hlr", 0.01, 100.0, 2.0);
        out.groups.push_back(group);
    }
    for (const RecipeReader& o : r.list("objects")) {
        Placed p = readPlaced(o, "x", "y");
        p.x = o.number("x", -0.5, out.width - 0.5);
        p.y = o.number("y", -0.5, out.height - 0.5);
        out.objects.push_back(p);
    }
}

void Recipe::readLayout(const RecipeReader& r) {
    if (!r.has("kind")) {
        r.allow({});
        return;
    }
    r.allow({"kind", "number", "magnitudes", "shift", "density", "most", "separation", "difference", "link",
             "separations", "differences", "seeings", "repeat", "magnitude", "cases", "unit"});
    Layout& l = layout;
    l.kind = r.text("kind");
    const QStringList kinds = {QStringLiteral("default"), QStringLiteral("basic"),  QStringLiteral("density"),
                               QStringLiteral("pair"),    QStringLiteral("square"), QStringLiteral("group"),
                               QStringLiteral("grid"),    QStringLiteral("cases")};
    if (!kinds.contains(l.kind)) r.fail("kind", QStringLiteral("one of ") + kinds.join(QStringLiteral(", ")));
    const bool fromSky = l.kind == QLatin1String("square") || l.kind == QLatin1String("group");
    if (fromSky && !(catalogue && catalogue->hasPositions())) {
        r.fail("kind", QStringLiteral("a \"catalogue\" with positions beside it"));
    }
    const double stamp = std::min(width, height) * survey.pixelScale;
    const bool density = l.kind == QLatin1String("density");
    if (density) l.magnitudes.second = 27.3;
    if (fromSky) l.magnitudes.second = 28.0;
    if (l.kind == QLatin1String("group")) l.number = {2, 10};
    if (l.kind == QLatin1String("basic")) l.number = {1, 4};
    const auto number = r.range("number", 0.0, 1000.0, {l.number.first, l.number.second});
    l.number = {static_cast<int>(number.first), static_cast<int>(number.second)};
    l.magnitudes = r.range("magnitudes", 5.0, 35.0, l.magnitudes);
    l.shiftArcsec = r.number("shift", 0.0, 1e4, density ? 0.5 * stamp : 0.1 * stamp);
    l.density = r.number("density", 0.0, 1e5, l.density);
    l.most = static_cast<int>(r.number("most", 1.0, 10000.0, l.most));
    if (r.has("separation")) l.separation = r.range("separation", 0.0, 1e3, {0.0, 0.0});
    if (r.has("difference")) l.difference = r.range("difference", -15.0, 15.0, {0.0, 0.0});
    l.linkArcsec = r.number("link", 0.01, 1e3, l.linkArcsec);
    l.separations = readNumbers(r, "separations", 0.0, 1e3, 1.0);
    l.differences = readNumbers(r, "differences", -15.0, 15.0, 0.0);
    l.seeings = readNumbers(r, "seeings", 0.05, 20.0, 1.0);
    l.repeat = static_cast<int>(r.number("repeat", 1.0, 1e6, 1.0));
    l.magnitude = r.number("magnitude", 5.0, 35.0, l.magnitude);
    const QString unit = r.text("unit", QStringLiteral("arcsec"));
    if (unit != QLatin1String("arcsec") && unit != QLatin1String("fwhm")) {
        r.fail("unit", QStringLiteral("\"arcsec\" or \"fwhm\""));
    }
    l.inFwhm = unit == QLatin1String("fwhm");
    for (const RecipeReader& c : r.list("cases")) {
        c.allow({"name", "objects"});
        Layout::Case one;
        one.name = c.text("name");
        for (const RecipeReader& o : c.list("objects")) {
            Placed p = readPlaced(o, "dx", "dy");
            p.x = o.number("dx", -1e4, 1e4, 0.0);
            p.y = o.number("dy", -1e4, 1e4, 0.0);
            one.objects.push_back(p);
        }
        l.cases.push_back(std::move(one));
    }
    if (l.kind == QLatin1String("cases") && l.cases.empty()) r.fail("cases", QStringLiteral("at least one case"));
    if (l.kind == QLatin1String("group")) {
        catalogueGroups = catalogue->groups(l.linkArcsec, l.number.first, l.number.second, l.magnitudes.second);
        if (catalogueGroups.empty()) r.fail("number", QStringLiteral("a number of members that occurs"));
    }
}

int Recipe::Layout::cell(int index) const {
    if (kind == QLatin1String("cases")) return index % static_cast<int>(cases.size());
    const auto cells = static_cast<int>(separations.size() * differences.size() * seeings.size());
    return index / repeat % std::max(cells, 1);
}

double Recipe::Layout::separationOf(int index) const {
    return separations[static_cast<size_t>(cell(index)) % separations.size()];
}

double Recipe::Layout::differenceOf(int index) const {
    return differences[static_cast<size_t>(cell(index)) / separations.size() % differences.size()];
}

double Recipe::Layout::seeingOf(int index) const {
    if (kind != QLatin1String("grid")) return 1.0;
    return seeings[static_cast<size_t>(cell(index)) / (separations.size() * differences.size()) % seeings.size()];
}

} // namespace blendscope
