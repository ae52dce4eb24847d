#pragma once

#include <QJsonArray>
#include <QJsonValue>
#include <vector>

namespace blendscope {

/// Lists of ids as JSON.
[[nodiscard]] inline QJsonArray jsonIds(const std::vector<int>& list) {
    QJsonArray array;
    for (const int v : list) {
        array.append(v);
    }
    return array;
}

/// What jsonIds made; empty where it is no list.
[[nodiscard]] inline std::vector<int> idsOfJson(const QJsonValue& value) {
    std::vector<int> list;
    for (const QJsonValue v : value.toArray()) {
        list.push_back(v.toInt());
    }
    return list;
}

} // namespace blendscope
