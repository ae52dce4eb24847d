#include "core/Scene.h"

#include <QHash>
#include <QRegularExpression>

namespace blendscope {

namespace {

int bitsOf(const MaskPlaneNames& names, std::initializer_list<const char*> wanted) {
    int bits = 0;
    for (const char* name : wanted) {
        const auto it = names.constFind(QLatin1String(name));
        if (it != names.constEnd() && *it >= 0 && *it < 32) bits |= static_cast<int>(1u << *it);
    }
    return bits;
}

/// Pivot wavelengths (nm) of space filters whose name is not simply their wavelength, from the instrument handbooks
/// (HST ACS, WFC3; JWST NIRCam, MIRI, NIRISS; Euclid; Roman).
const QHash<QString, double>& spaceFilters() {
    static const QHash<QString, double> table = [] {
        QHash<QString, double> t;
        const auto add = [&t](const char* name, double nm) { t.insert(QLatin1String(name), nm); };
        add("F850LP", 905), add("F350LP", 585), add("F200LP", 497), add("F600LP", 745), add("F606W", 592);
        add("F098M", 986), add("F105W", 1055), add("F110W", 1153), add("F125W", 1249), add("F127M", 1274);
        add("F139M", 1384), add("F140W", 1392), add("F153M", 1533), add("F160W", 1537);
        add("F070W", 704), add("F090W", 902), add("F115W", 1154), add("F140M", 1405), add("F150W", 1501);
        add("F150W2", 1659), add("F158M", 1582), add("F162M", 1627), add("F164N", 1645), add("F182M", 1845);
        add("F187N", 1874), add("F200W", 1989), add("F210M", 2095), add("F212N", 2121), add("F250M", 2503);
        add("F277W", 2762), add("F300M", 2989), add("F322W2", 3232), add("F323N", 3237), add("F335M", 3362);
        add("F356W", 3568), add("F360M", 3624), add("F380M", 3825), add("F405N", 4053), add("F410M", 4082);
        add("F430M", 4281), add("F444W", 4402), add("F460M", 4630), add("F466N", 4654), add("F470N", 4708);
        add("F480M", 4817), add("F560W", 5635), add("F770W", 7639), add("F1000W", 9953), add("F1130W", 11309);
        add("F1280W", 12810), add("F1500W", 15064), add("F1800W", 17984), add("F2100W", 20795), add("F2550W", 25365);
        add("F062", 620), add("F087", 869), add("F106", 1060), add("F129", 1293), add("F146", 1464);
        add("F158", 1577), add("F184", 1842), add("F213", 2125), add("VIS", 715);
        return t;
    }();
    return table;
}

double letterWavelength(const QString& letter) {
    // Lower case: LSST and SDSS systems; upper case: Johnson-Cousins and VISTA, where they differ.
    static const QHash<QString, double> table = {
        {QStringLiteral("u"), 367},  {QStringLiteral("g"), 483},  {QStringLiteral("r"), 622},
        {QStringLiteral("i"), 755},  {QStringLiteral("z"), 869},  {QStringLiteral("y"), 971},
        {QStringLiteral("U"), 365},  {QStringLiteral("B"), 441},  {QStringLiteral("V"), 551},
        {QStringLiteral("G"), 483},  {QStringLiteral("R"), 658},  {QStringLiteral("I"), 806},
        {QStringLiteral("Z"), 878},  {QStringLiteral("Y"), 1021}, {QStringLiteral("J"), 1254},
        {QStringLiteral("H"), 1646}, {QStringLiteral("K"), 2190}, {QStringLiteral("Ks"), 2149},
        {QStringLiteral("b"), 441},  {QStringLiteral("v"), 551},  {QStringLiteral("j"), 1254},
        {QStringLiteral("h"), 1646}, {QStringLiteral("k"), 2190}, {QStringLiteral("ks"), 2149},
        {QStringLiteral("KS"), 2149}};
    return table.value(letter, 0.0);
}

double spaceWavelength(const QString& token) {
    static const QRegularExpression form(QStringLiteral("^F(\\d{3,4})(W2?|M|N|LP|X)?$"));
    const QString name = token.toUpper();
    const auto it = spaceFilters().constFind(name);
    if (it != spaceFilters().constEnd()) return *it;
    const auto match = form.match(name);
    if (!match.hasMatch() || match.captured(2).isEmpty()) return 0.0;
    const double n = match.captured(1).toDouble();
    // HST optical names are in nm (F435W), infrared ones in 10 nm (F125W): the former start at 200.
    return match.captured(1).size() == 4 || n < 200 ? 10.0 * n : n;
}

} // namespace

int Band::unusableBits() const {
    return bitsOf(maskNames, {"BAD", "SAT", "CR", "NO_DATA", "EDGE", "UNMASKEDNAN", "SUSPECT"});
}

int Band::saturatedBits() const {
    return bitsOf(maskNames, {"SAT"});
}

QStringList Scene::bandNames() const {
    QStringList names;
    for (const Band& b : bands) {
        names << b.name;
    }
    return names;
}

int Scene::bandIndex(const QString& name) const {
    // Exact first: "y" and "Y" may both be there.
    for (const Qt::CaseSensitivity sensitivity : {Qt::CaseSensitive, Qt::CaseInsensitive}) {
        for (std::size_t i = 0; i < bands.size(); ++i) {
            if (bands[i].name.compare(name, sensitivity) == 0) return static_cast<int>(i);
        }
    }
    return -1;
}

long long Scene::imageBytes() const {
    return 4ll * size.width * size.height * static_cast<long long>(bands.size());
}

double filterWavelength(const QString& name) {
    static const QRegularExpression separators(QStringLiteral("[^A-Za-z0-9']+"));
    static const QRegularExpression survey(
        QStringLiteral("^(HSC|LSST|SDSS|DECAM|VISTA|VIRCAM|UKIDSS|WFCAM|KIDS|PS1|DES)"),
        QRegularExpression::CaseInsensitiveOption);
    QStringList tokens = name.trimmed().split(separators, Qt::SkipEmptyParts);
    for (QString& token : tokens) {
        token.remove(QLatin1Char('\''));
    }
    for (const QString& token : tokens) {
        if (const double nm = spaceWavelength(token); nm > 0.0) return nm;
    }
    // "g", "HSC-G", "g.MP9401", "z DECam SDSS c0004 9260.0 1520.0", "HSC-I2", "r_sdss"
    for (const QString& token : tokens) {
        QString letter = token;
        if (letter.size() > 2 && survey.match(letter).hasMatch()) letter.remove(survey);
        if (letter.size() == 2 && letter.at(1).isDigit()) letter.chop(1);
        if (letter.endsWith(QLatin1Char('p')) && letter.size() == 2) letter.chop(1); // "gp": g prime
        if (const double nm = letterWavelength(letter); nm > 0.0) return nm;
    }
    return 0.0;
}

} // namespace blendscope
