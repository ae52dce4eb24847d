#include "judge/SimulateDialog.h"

#include "core/Error.h"
#include "method/Registry.h"
#include "simulate/Simulator.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QJsonObject>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>

namespace blendscope {

SimulateDialog::SimulateDialog(QWidget* parent)
    : QDialog(parent), m_recipes(new QComboBox), m_seed(new QSpinBox), m_what(new QLabel) {
    setWindowTitle(tr("Simulate a scene"));
    for (const auto& [title, name] : recipes()) {
        m_recipes->addItem(title, name);
    }
    auto* layout = new QFormLayout(this);
    auto* line = new QHBoxLayout;
    line->addWidget(m_recipes, 1);
    auto* other = new QPushButton(tr("Other\u2026"));
    other->setToolTip(tr("A recipe of your own: a JSON file"));
    line->addWidget(other);
    layout->addRow(tr("Recipe"), line);
    m_seed->setRange(1, 2147483647);
    m_seed->setValue(QSettings().value(QStringLiteral("ui/seed"), 1).toInt());
    m_seed->setToolTip(tr("Another number, another sky; the same number gives the same scene"));
    layout->addRow(tr("Seed"), m_seed);
    m_what->setWordWrap(true);
    m_what->setForegroundRole(QPalette::PlaceholderText);
    m_what->setMinimumWidth(380);
    layout->addRow(m_what);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    buttons->button(QDialogButtonBox::Ok)->setText(tr("Simulate"));
    layout->addRow(buttons);
    connect(other, &QPushButton::clicked, this, &SimulateDialog::chooseFile);
    connect(m_recipes, &QComboBox::currentIndexChanged, this, &SimulateDialog::refresh);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        QSettings().setValue(QStringLiteral("ui/seed"), m_seed->value());
        accept();
    });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    refresh();
}

std::vector<std::pair<QString, QString>> SimulateDialog::recipes() {
    std::vector<std::pair<QString, QString>> found;
    QStringList names{QStringLiteral("demo")};
    names += QDir(resourceFolder() + QStringLiteral("/recipes"))
                 .entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name)
                 .replaceInStrings(QStringLiteral(".json"), QString());
    for (const QString& name : names) {
        try {
            const QString title = loadRecipe(name).value(QStringLiteral("title")).toString();
            found.emplace_back(title.isEmpty() ? name : title, name);
        } catch (const Error&) {
            // blend simulate says what is wrong with it
        }
    }
    return found;
}

QString SimulateDialog::recipe() const {
    return m_recipes->currentData().toString();
}

std::uint64_t SimulateDialog::seed() const {
    return static_cast<std::uint64_t>(m_seed->value());
}

void SimulateDialog::refresh() {
    QString text;
    try {
        const QJsonObject json = loadRecipe(recipe());
        const QJsonArray size = json.value(QStringLiteral("size")).toArray();
        text = tr("%1 \u00d7 %2 pixels, survey %3.")
                   .arg(size.at(0).toInt())
                   .arg(size.at(1).toInt())
                   .arg(json.value(QStringLiteral("survey")).toString());
        const QString note = json.value(QStringLiteral("_")).toString();
        if (!note.isEmpty()) text += QLatin1Char(' ') + note;
    } catch (const Error& e) {
        text = e.message();
    }
    m_what->setText(text);
}

void SimulateDialog::chooseFile() {
    const QString path =
        QFileDialog::getOpenFileName(this, tr("Open a recipe"), {}, tr("Recipes (*.json);;All files (*)"));
    if (path.isEmpty()) return;
    m_recipes->addItem(QFileInfo(path).completeBaseName(), path);
    m_recipes->setCurrentIndex(m_recipes->count() - 1);
}

} // namespace blendscope
