#include "io/SceneNames.h"

#include "core/Scene.h"

#include <QFileInfo>
#include <QHash>
#include <QRegularExpression>
#include <QSet>
#include <QStringList>
#include <vector>

namespace blendscope {

namespace {

const QHash<QString, HduRole>& extensionRoles() {
    static const QHash<QString, HduRole> table = {
        {QStringLiteral("SCI"), HduRole::Image},
        {QStringLiteral("IMAGE"), HduRole::Image},
        {QStringLiteral("VAR"), HduRole::Variance},
        {QStringLiteral("VARIANCE"), HduRole::Variance},
        {QStringLiteral("WHT"), HduRole::Weight},
        {QStringLiteral("WEIGHT"), HduRole::Weight},
        {QStringLiteral("IVAR"), HduRole::Weight},
        {QStringLiteral("INVVAR"), HduRole::Weight},
        {QStringLiteral("ERR"), HduRole::Sigma},
        {QStringLiteral("ERROR"), HduRole::Sigma},
        {QStringLiteral("RMS"), HduRole::Sigma},
        {QStringLiteral("SIGMA"), HduRole::Sigma},
        {QStringLiteral("MASK"), HduRole::Mask},
        {QStringLiteral("MSK"), HduRole::Mask},
        {QStringLiteral("DQ"), HduRole::Quality},
        {QStringLiteral("PSF"), HduRole::Psf},
        {QStringLiteral("ISO"), HduRole::Isolated},
        {QStringLiteral("ISOCUTS"), HduRole::IsolatedCutouts},
        {QStringLiteral("NOISELESS"), HduRole::Noiseless},
        {QStringLiteral("SEGTRUTH"), HduRole::TruthSegmentation},
        {QStringLiteral("TRUTH"), HduRole::Truth},
        {QStringLiteral("PEAKS"), HduRole::Peaks},
        {QStringLiteral("FOOTPRNT"), HduRole::Footprint},
        {QStringLiteral("FOOTPRINT"), HduRole::Footprint},
        // Known not to be images of the sky.
        {QStringLiteral("WCSDVARR"), HduRole::Ignored},
        {QStringLiteral("D2IMARR"), HduRole::Ignored},
        {QStringLiteral("HDRLET"), HduRole::Ignored},
        {QStringLiteral("ARCHIVE"), HduRole::Ignored},
        {QStringLiteral("SEG"), HduRole::Ignored},
        {QStringLiteral("SEGM"), HduRole::Ignored},
        {QStringLiteral("SEGMENTATION"), HduRole::Ignored},
        {QStringLiteral("BKG"), HduRole::Ignored},
        {QStringLiteral("BACKGROUND"), HduRole::Ignored},
        {QStringLiteral("SKY"), HduRole::Ignored},
        {QStringLiteral("MODEL"), HduRole::Ignored},
        {QStringLiteral("EXP"), HduRole::Ignored},
        {QStringLiteral("EXPMAP"), HduRole::Ignored},
        {QStringLiteral("NEXP"), HduRole::Ignored},
        {QStringLiteral("COVERAGE"), HduRole::Ignored},
        {QStringLiteral("CON"), HduRole::Ignored},
        {QStringLiteral("CTX"), HduRole::Ignored},
        {QStringLiteral("SAMP"), HduRole::Ignored},
        {QStringLiteral("TIME"), HduRole::Ignored},
        {QStringLiteral("AREA"), HduRole::Ignored},
        {QStringLiteral("WMAP"), HduRole::Ignored},
    };
    return table;
}

const QHash<QString, HduRole>& fileRoles() {
    static const QHash<QString, HduRole> table = {
        {QStringLiteral("sci"), HduRole::Image},      {QStringLiteral("drz"), HduRole::Image},
        {QStringLiteral("drc"), HduRole::Image},      {QStringLiteral("fitim"), HduRole::Image},
        {QStringLiteral("psf"), HduRole::Psf},        {QStringLiteral("psfim"), HduRole::Psf},
        {QStringLiteral("err"), HduRole::Sigma},      {QStringLiteral("error"), HduRole::Sigma},
        {QStringLiteral("rms"), HduRole::Sigma},      {QStringLiteral("sigma"), HduRole::Sigma},
        {QStringLiteral("wht"), HduRole::Weight},     {QStringLiteral("weight"), HduRole::Weight},
        {QStringLiteral("ivar"), HduRole::Weight},    {QStringLiteral("invvar"), HduRole::Weight},
        {QStringLiteral("var"), HduRole::Variance},   {QStringLiteral("variance"), HduRole::Variance},
        {QStringLiteral("mask"), HduRole::Mask},      {QStringLiteral("msk"), HduRole::Mask},
        {QStringLiteral("mskim"), HduRole::Mask},     {QStringLiteral("flag"), HduRole::Mask},
        {QStringLiteral("dq"), HduRole::Quality},     {QStringLiteral("seg"), HduRole::Ignored},
        {QStringLiteral("segim"), HduRole::Ignored},  {QStringLiteral("segm"), HduRole::Ignored},
        {QStringLiteral("segmap"), HduRole::Ignored},
    };
    return table;
}

/// A word of a file name that is a filter: F115W, a single letter of the usual systems, Ks.
bool isBandWord(const QString& word) {
    static const QRegularExpression space(QStringLiteral("^[fF]\\d{3,4}([wW]2?|[mMnN]|[lL][pP])$"));
    static const QSet<QString> letters = {
        QStringLiteral("u"), QStringLiteral("g"), QStringLiteral("r"),  QStringLiteral("i"),  QStringLiteral("z"),
        QStringLiteral("y"), QStringLiteral("U"), QStringLiteral("B"),  QStringLiteral("V"),  QStringLiteral("G"),
        QStringLiteral("R"), QStringLiteral("I"), QStringLiteral("Z"),  QStringLiteral("Y"),  QStringLiteral("J"),
        QStringLiteral("H"), QStringLiteral("K"), QStringLiteral("Ks"), QStringLiteral("ks"), QStringLiteral("KS")};
    return letters.contains(word) || space.match(word).hasMatch();
}

QString withoutEndings(const QString& path) {
    static const QRegularExpression endings(QStringLiteral("(\\.(fits?|fts|fz|gz|Z))+$"),
                                            QRegularExpression::CaseInsensitiveOption);
    QString name = QFileInfo(path).fileName();
    const QString bare = QString(name).remove(endings);
    return bare.isEmpty() ? name : bare;
}

} // namespace

QString roleText(HduRole role) {
    switch (role) {
    case HduRole::Image:
        return QStringLiteral("image");
    case HduRole::Variance:
        return QStringLiteral("variance");
    case HduRole::Sigma:
        return QStringLiteral("1-sigma errors");
    case HduRole::Weight:
        return QStringLiteral("inverse variance");
    case HduRole::Mask:
        return QStringLiteral("mask");
    case HduRole::Quality:
        return QStringLiteral("data quality");
    case HduRole::Psf:
        return QStringLiteral("PSF");
    case HduRole::Isolated:
        return QStringLiteral("isolated truth images");
    case HduRole::IsolatedCutouts:
        return QStringLiteral("isolated truth images, cut out");
    case HduRole::Noiseless:
        return QStringLiteral("noiseless truth image");
    case HduRole::TruthSegmentation:
        return QStringLiteral("truth segmentation");
    case HduRole::Truth:
        return QStringLiteral("truth table");
    case HduRole::Peaks:
        return QStringLiteral("peaks");
    case HduRole::Footprint:
        return QStringLiteral("footprint mask");
    case HduRole::Ignored:
        break;
    }
    return QStringLiteral("not used");
}

ExtensionName parseExtensionName(const QString& name) {
    static const QRegularExpression separator(QStringLiteral("[_\\-. ]"));
    ExtensionName parsed;
    const QString trimmed = name.trimmed();
    const qsizetype cut = trimmed.indexOf(separator);
    const auto it = extensionRoles().constFind((cut < 0 ? trimmed : trimmed.left(cut)).toUpper());
    if (it == extensionRoles().constEnd()) {
        parsed.rest = trimmed;
        return parsed;
    }
    parsed.known = true;
    parsed.role = *it;
    if (cut >= 0) parsed.rest = trimmed.mid(cut + 1);
    return parsed;
}

SceneFileName parseFileName(const QString& path) {
    static const QRegularExpression separator(QStringLiteral("[_\\-. ]+"));
    static const QRegularExpression glued(QStringLiteral("^(.*\\d)(fitim|sigma|psfim|segim|mskim)$"));
    SceneFileName name;
    name.whole = withoutEndings(path);
    QString whole = name.whole;
    if (const auto match = glued.match(whole); match.hasMatch()) {
        whole = match.captured(1) + QLatin1Char('_') + match.captured(2);
    }
    // Words, and what stands before each of them, so that the stem keeps its own punctuation.
    struct Word {
        QString before, text;
    };
    std::vector<Word> words;
    qsizetype at = 0;
    for (auto it = separator.globalMatch(whole); at <= whole.size();) {
        const auto match = it.hasNext() ? it.next() : QRegularExpressionMatch();
        const qsizetype end = match.hasMatch() ? match.capturedStart() : whole.size();
        if (end > at) words.push_back({at > 0 ? whole.mid(at - 1, 1) : QString(), whole.mid(at, end - at)});
        if (!match.hasMatch()) break;
        at = match.capturedEnd();
    }
    int band = -1;
    for (int i = 0; i < static_cast<int>(words.size()); ++i) {
        const QString& text = words[static_cast<std::size_t>(i)].text;
        // Long names before letters, later words before earlier ones: in a_r_i.fits the band is i.
        if (isBandWord(text) && (band < 0 || text.size() >= words[static_cast<std::size_t>(band)].text.size()))
            band = i;
    }
    if (band >= 0) {
        name.band = words[static_cast<std::size_t>(band)].text;
        words.erase(words.begin() + band);
        // "HSC-G": the survey belongs to the band, not to the name.
        if (band > 0 &&
            words[static_cast<std::size_t>(band - 1)].text.compare(QLatin1String("HSC"), Qt::CaseInsensitive) == 0) {
            words.erase(words.begin() + band - 1);
        }
    }
    // A role is said first or last: PSF_g.fits, g_err.fits.
    for (const bool last : {true, false}) {
        if (words.empty()) break;
        const auto where = last ? words.end() - 1 : words.begin();
        const auto it = fileRoles().constFind(where->text.toLower());
        if (it == fileRoles().constEnd() || (*it == HduRole::Image && !last)) continue;
        // xdf_..._sci: an image by name, like one without a role.
        name.hasRole = *it != HduRole::Image;
        name.role = *it;
        words.erase(where);
        break;
    }
    for (const Word& word : words) {
        if (!name.stem.isEmpty()) name.stem += word.before;
        name.stem += word.text;
    }
    return name;
}

bool looksLikeFits(const QString& path) {
    static const QRegularExpression endings(QStringLiteral("\\.(fits?|fts)(\\.(fz|gz|Z))?$|\\.fz$"),
                                            QRegularExpression::CaseInsensitiveOption);
    return endings.match(path).hasMatch();
}

QString cleanBandName(const QString& name) {
    static const QRegularExpression nothing(
        QStringLiteral("^(_*unknown_*|_*unset_*|none|null|n/?a|nan|clear\\w*|open|empty|blank|mirror|no ?filter|-+)$"),
        QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression number(QStringLiteral("^[-+0-9.]+$"));
    static const QRegularExpression odd(QStringLiteral("[^A-Za-z0-9_.+'\\-]"));
    QString band = name.trimmed();
    // A bare number is a position of a wheel, not a name.
    if (nothing.match(band).hasMatch() || number.match(band).hasMatch()) return {};
    const qsizetype blank = band.indexOf(QLatin1Char(' '));
    if (blank > 0) band.truncate(blank);
    band.remove(odd);
    band.truncate(32);
    return nothing.match(band).hasMatch() ? QString() : band;
}

} // namespace blendscope
