#include "judge/EvaluateDialog.h"

#include "judge/SimulateDialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>

namespace blendscope {

EvaluateDialog::EvaluateDialog(std::vector<std::pair<QString, Pipeline>> pipelines, QWidget* parent)
    : QDialog(parent), m_choice(std::move(pipelines)), m_pipelines(new QListWidget), m_source(new QComboBox),
      m_recipes(new QComboBox), m_folder(new QLineEdit), m_browse(new QPushButton(tr("Browse\u2026"))),
      m_scenes(new QSpinBox), m_seed(new QSpinBox), m_judge(new QCheckBox(tr("Judge outcomes as well (slower)"))),
      m_card(new QCheckBox(tr("Pipeline-readiness card (minutes)"))) {
    setWindowTitle(tr("Evaluate on many scenes"));
    auto* layout = new QFormLayout(this);
    for (const auto& [name, pipeline] : m_choice) {
        auto* item = new QListWidgetItem(name, m_pipelines);
        item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
        item->setCheckState(Qt::Checked);
    }
    m_pipelines->setMaximumHeight(120);
    m_pipelines->setToolTip(tr("The pipelines of this scene's results, and the one chosen now"));
    layout->addRow(tr("Pipelines"), m_pipelines);
    m_source->addItems({tr("Simulated scenes"), tr("Scenes of a folder that have truth")});
    layout->addRow(tr("Scenes of"), m_source);
    for (const auto& [title, name] : SimulateDialog::recipes()) {
        m_recipes->addItem(title, name);
    }
    const int pairs = m_recipes->findData(QStringLiteral("who-shreds"));
    if (pairs >= 0) m_recipes->setCurrentIndex(pairs);
    layout->addRow(tr("Recipe"), m_recipes);
    auto* line = new QHBoxLayout;
    line->addWidget(m_folder, 1);
    line->addWidget(m_browse);
    layout->addRow(tr("Folder"), line);
    connect(m_browse, &QPushButton::clicked, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Scenes with truth"), m_folder->text());
        if (!folder.isEmpty()) setFolder(folder);
    });
    connect(m_source, &QComboBox::currentIndexChanged, this, &EvaluateDialog::refresh);
    m_scenes->setRange(1, 100000);
    m_scenes->setValue(20);
    m_scenes->setToolTip(tr("From ten scenes on, errors come from drawing scenes again"));
    layout->addRow(tr("At most"), m_scenes);
    m_seed->setRange(1, 2147483647);
    m_seed->setValue(1);
    layout->addRow(tr("Seed"), m_seed);
    m_judge->setChecked(true);
    layout->addRow(m_judge);
    m_card->setToolTip(tr("Cost, uniformity and honesty of the errors, for the saved report"));
    layout->addRow(m_card);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    buttons->button(QDialogButtonBox::Ok)->setText(tr("Evaluate"));
    layout->addRow(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    refresh();
}

void EvaluateDialog::setFolder(const QString& folder) {
    m_folder->setText(folder);
    m_source->setCurrentIndex(folder.isEmpty() ? 0 : 1);
}

void EvaluateDialog::refresh() {
    const bool folder = m_source->currentIndex() == 1;
    m_folder->setEnabled(folder);
    m_browse->setEnabled(folder);
    m_recipes->setEnabled(!folder);
    m_seed->setEnabled(!folder);
}

Evaluation::Wish EvaluateDialog::wish() const {
    Evaluation::Wish wish;
    wish.recipe = m_recipes->currentData().toString();
    if (m_source->currentIndex() == 1) wish.folder = m_folder->text().trimmed();
    wish.card = m_card->isChecked();
    wish.scenes = m_scenes->value();
    wish.seed = static_cast<std::uint64_t>(m_seed->value());
    wish.judge = m_judge->isChecked();
    for (std::size_t i = 0; i < m_choice.size(); ++i) {
        if (m_pipelines->item(int(i))->checkState() == Qt::Checked) wish.pipelines.push_back(m_choice[i]);
    }
    return wish;
}

} // namespace blendscope
