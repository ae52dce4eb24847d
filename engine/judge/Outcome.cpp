#include "judge/Outcome.h"

#include <array>

namespace blendscope {

namespace {

struct Name {
    Outcome outcome;
    const char* word;
};
constexpr std::array<Name, 12> kNames = {{{Outcome::Recognized, "recognized"},
                                          {Outcome::Unrecognized, "unrecognized"},
                                          {Outcome::Shredded, "shredded"},
                                          {Outcome::Merged, "merged"},
                                          {Outcome::Undetected, "undetected"},
                                          {Outcome::Lost, "lost"},
                                          {Outcome::Boosted, "boosted"},
                                          {Outcome::Invisible, "invisible"},
                                          {Outcome::Spurious, "spurious"},
                                          {Outcome::Single, "single"},
                                          {Outcome::Unknown, "unknown"},
                                          {Outcome::Outside, "outside"}}};

} // namespace

QString outcomeWord(Outcome outcome) {
    for (const Name& name : kNames) {
        if (name.outcome == outcome) return QLatin1String(name.word);
    }
    return QStringLiteral("unknown");
}

Outcome outcomeFromWord(const QString& word) {
    for (const Name& name : kNames) {
        if (word.compare(QLatin1String(name.word), Qt::CaseInsensitive) == 0) return name.outcome;
    }
    return Outcome::Unknown;
}

const std::vector<Outcome>& allOutcomes() {
    static const std::vector<Outcome> all = [] {
        std::vector<Outcome> list;
        for (const Name& name : kNames) {
            list.push_back(name.outcome);
        }
        return list;
    }();
    return all;
}

} // namespace blendscope
