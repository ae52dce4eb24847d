#include "Arguments.h"
#include "Console.h"
#include "Verbs.h"

#include "core/Error.h"
#include "method/Registry.h"

#include <QJsonArray>

namespace blendscope::cli {

namespace {

QString typeWord(ParameterInfo::Type type) {
    switch (type) {
    case ParameterInfo::Type::Integer:
        return QStringLiteral("integer");
    case ParameterInfo::Type::Real:
        return QStringLiteral("real");
    case ParameterInfo::Type::Boolean:
        return QStringLiteral("boolean");
    case ParameterInfo::Type::Choice:
        return QStringLiteral("choice");
    case ParameterInfo::Type::Text:
        return QStringLiteral("text");
    }
    return {};
}

QJsonObject parameterJson(const ParameterInfo& p) {
    QJsonObject json{{QStringLiteral("key"), p.key},
                     {QStringLiteral("title"), p.title},
                     {QStringLiteral("type"), typeWord(p.type)},
                     {QStringLiteral("default"), QJsonValue::fromVariant(p.defaultValue)},
                     {QStringLiteral("unit"), p.unit},
                     {QStringLiteral("help"), p.help},
                     {QStringLiteral("advanced"), p.advanced}};
    if (p.minimum.isValid()) json.insert(QStringLiteral("minimum"), QJsonValue::fromVariant(p.minimum));
    if (p.maximum.isValid()) json.insert(QStringLiteral("maximum"), QJsonValue::fromVariant(p.maximum));
    if (!p.choices.isEmpty()) json.insert(QStringLiteral("choices"), QJsonArray::fromStringList(p.choices));
    return json;
}

QJsonObject methodJson(const MethodInfo& method) {
    QJsonArray parameters;
    for (const ParameterInfo& p : method.parameters) {
        parameters.append(parameterJson(p));
    }
    return {{QStringLiteral("id"), method.id},
            {QStringLiteral("title"), method.title},
            {QStringLiteral("description"), method.description},
            {QStringLiteral("citation"), method.citation},
            {QStringLiteral("version"), method.version},
            {QStringLiteral("stages"), QJsonArray::fromStringList(method.stages)},
            {QStringLiteral("bands"),
             QJsonObject{{QStringLiteral("minimum"), method.minBands}, {QStringLiteral("maximum"), method.maxBands}}},
            {QStringLiteral("needs_psf"), method.needsPsf},
            {QStringLiteral("device"), method.device},
            {QStringLiteral("folder"), method.folder},
            {QStringLiteral("problem"), method.problem},
            {QStringLiteral("usable"), method.problem.isEmpty()},
            {QStringLiteral("parameters"), parameters}};
}

QString methodText(const MethodInfo& method) {
    QString text =
        QStringLiteral("%1  %2 (%3)\n").arg(method.id, method.title, method.stages.join(QStringLiteral(", ")));
    if (!method.problem.isEmpty()) text += QStringLiteral("  cannot be used: %1\n").arg(method.problem);
    if (!method.description.isEmpty()) text += QStringLiteral("  %1\n").arg(method.description);
    if (!method.citation.isEmpty()) text += QStringLiteral("  citation: %1\n").arg(method.citation);
    for (const ParameterInfo& p : method.parameters) {
        QString range = typeWord(p.type);
        if (p.type == ParameterInfo::Type::Choice) range = p.choices.join(QLatin1Char('|'));
        if (p.minimum.isValid() || p.maximum.isValid()) {
            range = QStringLiteral("%1 to %2")
                        .arg(p.minimum.isValid() ? p.minimum.toString() : QStringLiteral("any"),
                             p.maximum.isValid() ? p.maximum.toString() : QStringLiteral("any"));
        }
        text += QStringLiteral("    %1.%2=%3 %4 [%5]  %6\n")
                    .arg(method.id, p.key, p.defaultValue.toString(), p.unit, range, p.help);
    }
    return text;
}

} // namespace

int runMethods(const QStringList& words, Console& console) {
    Arguments arguments(
        QStringLiteral("methods"), QStringLiteral("[METHOD...]"),
        QStringLiteral("Lists the installed methods and their parameters, for --pipeline and --set of blend run.\n"
                       "Methods are looked for in BLENDSCOPE_PLUGIN_PATH and beside the program."),
        {});
    if (!arguments.parse(words)) {
        console.print(arguments.help());
        return 0;
    }
    const Registry registry;
    for (const QString& id : arguments.words()) {
        if (!registry.find(id)) throw UsageError(QStringLiteral("no method \"%1\"").arg(id));
    }
    QJsonArray methods;
    QStringList texts;
    for (const MethodInfo& method : registry.methods()) {
        if (!arguments.words().isEmpty() && !arguments.words().contains(method.id)) continue;
        methods.append(methodJson(method));
        texts << methodText(method);
    }
    if (arguments.has(QStringLiteral("json"))) {
        console.printJson({{QStringLiteral("methods"), methods}});
    } else if (texts.isEmpty()) {
        console.print(QStringLiteral("no methods are installed"));
    } else {
        console.print(texts.join(QLatin1Char('\n')));
    }
    return 0;
}

} // namespace blendscope::cli
