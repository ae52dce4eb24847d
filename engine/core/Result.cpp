#include "core/Result.h"

#include <algorithm>

namespace blendscope {

namespace {

struct FlagName {
    Flag flag;
    const char* word;
};

constexpr FlagName kFlagNames[] = {
    {FlagEdge, "edge"},
    {FlagSaturated, "saturated"},
    {FlagMasked, "masked"},
    {FlagNotConverged, "not_converged"},
    {FlagTooManyChildren, "too_many_children"},
    {FlagSkipped, "skipped"},
    {FlagNotDetected, "not_detected"},
    {FlagPointSource, "point_source"},
    {FlagDegenerate, "degenerate"},
    {FlagNoFlux, "no_flux"},
    {FlagBlended, "blended"},
    {FlagBadMeasurement, "bad_measurement"},
    {FlagOutside, "outside"},
};

template <typename T>
const T* findById(const std::vector<T>& sorted, int id) {
    const auto it = std::lower_bound(sorted.begin(), sorted.end(), id, [](const T& t, int i) { return t.id < i; });
    return it != sorted.end() && it->id == id ? &*it : nullptr;
}

} // namespace

QString flagWords(std::uint32_t flags) {
    QStringList words;
    for (const FlagName& f : kFlagNames) {
        if (flags & f.flag) words << QLatin1String(f.word);
    }
    return words.join(QLatin1Char('|'));
}

std::uint32_t flagsFromWords(const QString& words) {
    std::uint32_t flags = 0;
    const QStringList list = words.split(QLatin1Char('|'), Qt::SkipEmptyParts);
    for (const FlagName& f : kFlagNames) {
        if (list.contains(QLatin1String(f.word))) flags |= f.flag;
    }
    return flags;
}

const Object* Result::object(int objectId) const {
    return findById(objects, objectId);
}
const Component* Result::component(int objectId) const {
    return findById(components, objectId);
}
const Blend* Result::blend(int blendId) const {
    return findById(blends, blendId);
}
const Footprint* Result::footprint(int footprintId) const {
    return findById(footprints, footprintId);
}

} // namespace blendscope
