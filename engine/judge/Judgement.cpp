#include "judge/Judgement.h"

#include "core/Error.h"
#include "judge/JsonLists.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

QJsonValue numberOrNull(double v) {
    return std::isfinite(v) ? QJsonValue(v) : QJsonValue();
}

double numberOf(const QJsonValue& v) {
    return v.isDouble() ? v.toDouble() : std::numeric_limits<double>::quiet_NaN();
}

QJsonObject sharesJson(const QMap<Outcome, double>& shares) {
    QJsonObject json;
    for (auto it = shares.begin(); it != shares.end(); ++it) {
        json.insert(outcomeWord(it.key()), it.value());
    }
    return json;
}

QMap<Outcome, double> sharesOf(const QJsonValue& value) {
    QMap<Outcome, double> shares;
    const QJsonObject json = value.toObject();
    for (auto it = json.begin(); it != json.end(); ++it) {
        shares.insert(outcomeFromWord(it.key()), it.value().toDouble());
    }
    return shares;
}

QJsonObject objectJson(const TruthVerdict& t) {
    QJsonObject json{{QStringLiteral("id"), t.id},
                     {QStringLiteral("verdict"), outcomeWord(t.outcome)},
                     {QStringLiteral("detections"), jsonIds(t.detections)},
                     {QStringLiteral("blend"), t.blend},
                     {QStringLiteral("letter"), t.letter},
                     {QStringLiteral("x"), numberOrNull(t.x)},
                     {QStringLiteral("y"), numberOrNull(t.y)},
                     {QStringLiteral("own_detection"), t.own},
                     {QStringLiteral("host_detection"), t.host},
                     {QStringLiteral("shared_with"), jsonIds(t.sharedWith)},
                     {QStringLiteral("detected_alone"), t.detectedAlone},
                     {QStringLiteral("detections_alone"), t.detectionsAlone},
                     {QStringLiteral("significance_alone"), numberOrNull(t.significanceAlone)},
                     {QStringLiteral("snr"), numberOrNull(t.snr)},
                     {QStringLiteral("blendedness"), numberOrNull(t.blendedness)},
                     {QStringLiteral("words"), t.words}};
    if (!t.known) json.insert(QStringLiteral("known"), false);
    if (!t.probability.isEmpty()) {
        json.insert(QStringLiteral("probability"), sharesJson(t.probability));
        json.insert(QStringLiteral("alone_probability"), numberOrNull(t.aloneProbability));
    }
    return json;
}

TruthVerdict objectOf(const QJsonObject& json) {
    TruthVerdict t;
    t.id = json.value(QStringLiteral("id")).toInt();
    t.outcome = outcomeFromWord(json.value(QStringLiteral("verdict")).toString());
    t.detections = idsOfJson(json.value(QStringLiteral("detections")));
    t.blend = json.value(QStringLiteral("blend")).toInt();
    t.letter = json.value(QStringLiteral("letter")).toString();
    t.x = numberOf(json.value(QStringLiteral("x")));
    t.y = numberOf(json.value(QStringLiteral("y")));
    t.own = json.value(QStringLiteral("own_detection")).toInt();
    t.host = json.value(QStringLiteral("host_detection")).toInt();
    t.sharedWith = idsOfJson(json.value(QStringLiteral("shared_with")));
    t.detectedAlone = json.value(QStringLiteral("detected_alone")).toBool();
    t.detectionsAlone = json.value(QStringLiteral("detections_alone")).toInt();
    t.significanceAlone = numberOf(json.value(QStringLiteral("significance_alone")));
    t.snr = numberOf(json.value(QStringLiteral("snr")));
    t.blendedness = numberOf(json.value(QStringLiteral("blendedness")));
    t.known = json.value(QStringLiteral("known")).toBool(true);
    t.words = json.value(QStringLiteral("words")).toString();
    t.probability = sharesOf(json.value(QStringLiteral("probability")));
    t.aloneProbability = numberOf(json.value(QStringLiteral("alone_probability")));
    return t;
}

QJsonObject detectionJson(const DetectionVerdict& d) {
    return {{QStringLiteral("id"), d.id},
            {QStringLiteral("verdict"), outcomeWord(d.outcome)},
            {QStringLiteral("blend"), d.blend},
            {QStringLiteral("x"), numberOrNull(d.x)},
            {QStringLiteral("y"), numberOrNull(d.y)},
            {QStringLiteral("owner"), d.owner},
            {QStringLiteral("piece_of"), d.pieceOf},
            {QStringLiteral("objects"), jsonIds(d.truths)},
            {QStringLiteral("words"), d.words}};
}

DetectionVerdict detectionOf(const QJsonObject& json) {
    DetectionVerdict d;
    d.id = json.value(QStringLiteral("id")).toInt();
    d.outcome = outcomeFromWord(json.value(QStringLiteral("verdict")).toString());
    d.blend = json.value(QStringLiteral("blend")).toInt();
    d.x = numberOf(json.value(QStringLiteral("x")));
    d.y = numberOf(json.value(QStringLiteral("y")));
    d.owner = json.value(QStringLiteral("owner")).toInt();
    d.pieceOf = json.value(QStringLiteral("piece_of")).toInt();
    d.truths = idsOfJson(json.value(QStringLiteral("objects")));
    d.words = json.value(QStringLiteral("words")).toString();
    return d;
}

QJsonObject blendJson(const BlendVerdict& b) {
    QJsonArray also;
    for (const Outcome o : b.also) {
        also.append(outcomeWord(o));
    }
    QJsonObject json{{QStringLiteral("id"), b.id},
                     {QStringLiteral("members"), jsonIds(b.members)},
                     {QStringLiteral("detections"), jsonIds(b.detections)},
                     {QStringLiteral("n_sep"), b.nSep},
                     {QStringLiteral("n_unsep"), b.nUnsep},
                     {QStringLiteral("n_blend"), b.nBlend},
                     {QStringLiteral("outcome"), outcomeWord(b.outcome)},
                     {QStringLiteral("also"), also},
                     {QStringLiteral("x0"), b.box.x0},
                     {QStringLiteral("y0"), b.box.y0},
                     {QStringLiteral("nx"), b.box.width},
                     {QStringLiteral("ny"), b.box.height},
                     {QStringLiteral("words"), b.words}};
    if (!b.known) json.insert(QStringLiteral("known"), false);
    if (!b.probability.isEmpty()) json.insert(QStringLiteral("probability"), sharesJson(b.probability));
    return json;
}

BlendVerdict blendOf(const QJsonObject& json) {
    BlendVerdict b;
    b.id = json.value(QStringLiteral("id")).toInt();
    b.members = idsOfJson(json.value(QStringLiteral("members")));
    b.detections = idsOfJson(json.value(QStringLiteral("detections")));
    b.nSep = json.value(QStringLiteral("n_sep")).toInt();
    b.nUnsep = json.value(QStringLiteral("n_unsep")).toInt();
    b.nBlend = json.value(QStringLiteral("n_blend")).toInt();
    b.outcome = outcomeFromWord(json.value(QStringLiteral("outcome")).toString());
    for (const QJsonValue v : json.value(QStringLiteral("also")).toArray()) {
        b.also.push_back(outcomeFromWord(v.toString()));
    }
    b.box = {json.value(QStringLiteral("x0")).toInt(), json.value(QStringLiteral("y0")).toInt(),
             json.value(QStringLiteral("nx")).toInt(), json.value(QStringLiteral("ny")).toInt()};
    b.words = json.value(QStringLiteral("words")).toString();
    b.known = json.value(QStringLiteral("known")).toBool(true);
    b.probability = sharesOf(json.value(QStringLiteral("probability")));
    return b;
}

QStringList stringsOf(const QJsonValue& value) {
    QStringList list;
    for (const QJsonValue v : value.toArray()) {
        list << v.toString();
    }
    return list;
}

/// {"total": n, "counts": {}, "recognized": share, ...}
QJsonObject countsJson(const QMap<Outcome, int>& counts) {
    QJsonObject json, each;
    int total = 0;
    for (const int n : counts) {
        total += n;
    }
    for (auto it = counts.begin(); it != counts.end(); ++it) {
        each.insert(outcomeWord(it.key()), it.value());
        json.insert(outcomeWord(it.key()), total ? double(it.value()) / total : 0.0);
    }
    json.insert(QStringLiteral("total"), total);
    json.insert(QStringLiteral("counts"), each);
    return json;
}

template <typename Item>
const Item* byId(const std::vector<Item>& items, int id) {
    for (const Item& item : items) {
        if (item.id == id) return &item;
    }
    return nullptr;
}

} // namespace

const TruthVerdict* Judgement::object(int truthId) const {
    return byId(objects, truthId);
}

const DetectionVerdict* Judgement::detection(int id) const {
    return byId(detections, id);
}

const BlendVerdict* Judgement::blend(int id) const {
    return byId(blends, id);
}

void OutcomeRates::add(const Judgement& judgement) {
    ++scenes;
    for (const TruthVerdict& t : judgement.objects) {
        if (!t.known) continue;
        ++objects[t.outcome];
        if (t.detectedAlone) ++detectable[t.outcome];
    }
    for (const DetectionVerdict& d : judgement.detections) {
        ++detections[d.outcome];
    }
    for (const BlendVerdict& b : judgement.blends) {
        if (b.isBlend()) ++blends[b.outcome];
    }
}

int OutcomeRates::objectsJudged() const {
    int total = 0;
    for (auto it = objects.begin(); it != objects.end(); ++it) {
        if (it.key() != Outcome::Outside) total += it.value();
    }
    return total;
}

int OutcomeRates::blendsTotal() const {
    int total = 0;
    for (const int n : blends) {
        total += n;
    }
    return total;
}

QJsonObject toJson(const OutcomeRates& rates) {
    QMap<Outcome, int> judged = rates.objects;
    judged.remove(Outcome::Outside);
    QJsonObject blends = countsJson(rates.blends);
    // The five of the definition are always there, so that a reader need not ask whether a word was seen.
    for (const Outcome o :
         {Outcome::Recognized, Outcome::Unrecognized, Outcome::Shredded, Outcome::Merged, Outcome::Undetected}) {
        if (!blends.contains(outcomeWord(o))) blends.insert(outcomeWord(o), 0.0);
    }
    return {{QStringLiteral("scenes"), rates.scenes},
            {QStringLiteral("blends"), blends},
            {QStringLiteral("objects"), countsJson(judged)},
            {QStringLiteral("detected_alone"), countsJson(rates.detectable)},
            {QStringLiteral("detections"), countsJson(rates.detections)},
            {QStringLiteral("outside"), rates.objects.value(Outcome::Outside)}};
}

QJsonObject toJson(const Judgement& judgement) {
    QJsonArray objects, neighbours, detections, blends, singles;
    for (const TruthVerdict& t : judgement.objects) {
        (t.known ? objects : neighbours).append(objectJson(t));
    }
    for (const DetectionVerdict& d : judgement.detections) {
        detections.append(detectionJson(d));
    }
    for (const BlendVerdict& b : judgement.blends) {
        (b.isBlend() ? blends : singles).append(blendJson(b));
    }
    OutcomeRates rates;
    rates.add(judgement);
    return {{QStringLiteral("scene_id"), judgement.sceneId},
            {QStringLiteral("bands"), QJsonArray::fromStringList(judgement.bands)},
            {QStringLiteral("notes"), QJsonArray::fromStringList(judgement.notes)},
            {QStringLiteral("pipeline"), judgement.pipeline},
            {QStringLiteral("isolated_scenes"), judgement.isolatedScenes},
            {QStringLiteral("realisations"), judgement.realisations},
            {QStringLiteral("seconds"), judgement.seconds},
            {QStringLiteral("objects"), objects},
            {QStringLiteral("neighbours"), neighbours},
            {QStringLiteral("detections"), detections},
            {QStringLiteral("blends"), blends},
            {QStringLiteral("singles"), singles},
            {QStringLiteral("rates"), toJson(rates)}};
}

Judgement judgementFromJson(const QJsonObject& json) {
    if (!json.value(QStringLiteral("objects")).isArray() || !json.value(QStringLiteral("blends")).isArray()) {
        throw ReadError(QStringLiteral("this is no judgement: it has no lists \"objects\" and \"blends\""));
    }
    Judgement j;
    j.sceneId = json.value(QStringLiteral("scene_id")).toString();
    j.bands = stringsOf(json.value(QStringLiteral("bands")));
    j.notes = stringsOf(json.value(QStringLiteral("notes")));
    j.pipeline = json.value(QStringLiteral("pipeline")).toObject();
    j.isolatedScenes = json.value(QStringLiteral("isolated_scenes")).toInt();
    j.realisations = json.value(QStringLiteral("realisations")).toInt();
    j.seconds = json.value(QStringLiteral("seconds")).toDouble();
    for (const char* list : {"objects", "neighbours"}) {
        for (const QJsonValue v : json.value(QLatin1String(list)).toArray()) {
            j.objects.push_back(objectOf(v.toObject()));
        }
    }
    for (const QJsonValue v : json.value(QStringLiteral("detections")).toArray()) {
        j.detections.push_back(detectionOf(v.toObject()));
    }
    for (const char* list : {"blends", "singles"}) {
        for (const QJsonValue v : json.value(QLatin1String(list)).toArray()) {
            j.blends.push_back(blendOf(v.toObject()));
        }
    }
    std::sort(j.blends.begin(), j.blends.end(),
              [](const BlendVerdict& a, const BlendVerdict& b) { return a.id < b.id; });
    return j;
}

} // namespace blendscope
