#include "train/TrainPanel.h"

#include "train/CurvesView.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QFileDialog>
#include <QFontDatabase>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QJsonDocument>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace blendscope {

namespace {

QString timeText(double seconds) {
    if (seconds < 100.0) return TrainPanel::tr("%1 s").arg(seconds, 0, 'f', 0);
    if (seconds < 6000.0) return TrainPanel::tr("%1 min").arg(seconds / 60.0, 0, 'f', 0);
    return TrainPanel::tr("%1 h").arg(seconds / 3600.0, 0, 'f', 1);
}

} // namespace

TrainPanel::TrainPanel(Document* document, TrainSession* session, QWidget* parent)
    : QDialog(parent), m_document(document), m_session(session), m_methods(new QComboBox), m_recipe(new QPlainTextEdit),
      m_out(new QLineEdit), m_labels(new QLineEdit),
      m_resume(new QCheckBox(tr("Go on from the checkpoint in this folder"))), m_start(new QPushButton(tr("&Train"))),
      m_stop(new QPushButton(tr("&Stop (keeps a checkpoint)"))), m_progress(new QProgressBar), m_status(new QLabel),
      m_picture(new QLabel), m_curves(new CurvesView) {
    setWindowTitle(tr("Train a method"));
    setWindowFlag(Qt::WindowMaximizeButtonHint);
    auto* form = new QFormLayout;
    m_methods->setToolTip(tr("Methods with a network that can be trained"));
    form->addRow(tr("&Method"), m_methods);
    m_recipe->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_recipe->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_recipe->setToolTip(tr("JSON; what is left out is the method's default"));
    auto* file = new QPushButton(tr("Read a file\u2026"));
    file->setToolTip(tr("A recipe, or the card.json of a model"));
    auto* recipeColumn = new QVBoxLayout;
    recipeColumn->addWidget(m_recipe, 1);
    recipeColumn->addWidget(file, 0, Qt::AlignLeft);
    form->addRow(tr("Recipe"), recipeColumn);
    auto* browse = new QPushButton(tr("Choose\u2026"));
    auto* outRow = new QHBoxLayout;
    outRow->addWidget(m_out, 1);
    outRow->addWidget(browse);
    m_out->setPlaceholderText(tr("folder for checkpoint, curves and model"));
    form->addRow(tr("Folder"), outRow);
    form->addRow({}, m_resume);
    m_labels->setPlaceholderText(tr("none"));
    m_labels->setToolTip(tr("A file that Label mode or blend labels export wrote"));
    form->addRow(tr("&Labels"), m_labels);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_start);
    buttons->addWidget(m_stop);
    buttons->addStretch(1);
    m_status->setWordWrap(true);
    m_status->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    auto* left = new QVBoxLayout;
    left->addLayout(form, 1);
    left->addLayout(buttons);
    left->addWidget(m_progress);
    left->addWidget(m_status);
    auto* right = new QVBoxLayout;
    right->addWidget(m_curves, 3);
    m_picture->setAlignment(Qt::AlignCenter);
    m_picture->setMinimumHeight(120);
    m_picture->setAccessibleName(tr("Sample prediction"));
    right->addWidget(m_picture, 1);
    auto* layout = new QHBoxLayout(this);
    layout->addLayout(left, 2);
    layout->addLayout(right, 3);
    resize(1180, 700);
    m_start->setDefault(true);

    connect(file, &QPushButton::clicked, this, &TrainPanel::readRecipeFile);
    connect(browse, &QPushButton::clicked, this, &TrainPanel::chooseFolder);
    connect(m_start, &QPushButton::clicked, this, &TrainPanel::begin);
    connect(m_stop, &QPushButton::clicked, m_session, &TrainSession::stop);
    connect(m_out, &QLineEdit::textChanged, this, &TrainPanel::refresh);
    connect(m_methods, &QComboBox::currentIndexChanged, this, [this] {
        m_recipe->clear();
        const QString id = m_methods->currentData().toString();
        if (!id.isEmpty()) m_session->requestRecipe(id);
        refresh();
    });
    connect(m_session, &TrainSession::changed, this, &TrainPanel::refresh);
    connect(m_session, &TrainSession::recipeReady, this, [this](const QString& method, const QJsonObject& recipe) {
        if (method != m_methods->currentData().toString() || !m_recipe->toPlainText().isEmpty()) return;
        m_recipe->setPlainText(QString::fromUtf8(QJsonDocument(recipe).toJson()));
    });
    connect(m_document, &Document::registryChanged, this, &TrainPanel::refreshMethods);
    refreshMethods();
}

void TrainPanel::refreshMethods() {
    const QSignalBlocker block(m_methods);
    m_methods->clear();
    if (const auto registry = m_document->registry()) {
        for (const MethodInfo& info : registry->methods()) {
            if (info.trainable && info.problem.isEmpty())
                m_methods->addItem(QStringLiteral("%1 (%2)").arg(info.title, info.id), info.id);
        }
    }
    if (m_methods->count() > 0) m_session->requestRecipe(m_methods->currentData().toString());
    refresh();
}

void TrainPanel::setMethod(const QString& id) {
    const int index = m_methods->findData(id);
    if (index >= 0) m_methods->setCurrentIndex(index);
}

void TrainPanel::setOut(const QString& folder) {
    m_out->setText(folder);
}

void TrainPanel::setRecipe(const QJsonObject& recipe) {
    m_recipe->setPlainText(QString::fromUtf8(QJsonDocument(recipe).toJson()));
}

QString TrainPanel::statusText() const {
    return m_status->text();
}

void TrainPanel::chooseFolder() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("A folder for the model"), m_out->text());
    if (!folder.isEmpty()) m_out->setText(folder);
}

void TrainPanel::readRecipeFile() {
    const QString path =
        QFileDialog::getOpenFileName(this, tr("A recipe, or the card of a model"), {}, tr("JSON (*.json)"));
    if (path.isEmpty()) return;
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        m_status->setText(tr("%1 cannot be read: %2").arg(path, file.errorString()));
        return;
    }
    const QJsonObject json = QJsonDocument::fromJson(file.readAll()).object();
    setRecipe(json.contains(QStringLiteral("architecture")) ? json.value(QStringLiteral("recipe")).toObject() : json);
}

void TrainPanel::begin() {
    QJsonParseError error{};
    const QByteArray text = m_recipe->toPlainText().toUtf8();
    const QJsonDocument document = QJsonDocument::fromJson(text.trimmed().isEmpty() ? QByteArray("{}") : text, &error);
    if (!document.isObject()) {
        const int line = static_cast<int>(text.left(error.offset).count('\n')) + 1;
        m_status->setText(tr("The recipe is no JSON object: %1 in line %2.").arg(error.errorString()).arg(line));
        return;
    }
    TrainSession::Wish wish;
    wish.method = m_methods->currentData().toString();
    wish.recipe = document.object();
    wish.out = m_out->text().trimmed();
    wish.resume = m_resume->isChecked();
    wish.labels = m_labels->text().trimmed();
    m_shown = 0;
    m_session->start(wish);
}

void TrainPanel::refresh() {
    const bool running = m_session->running();
    m_start->setEnabled(!running && m_methods->count() > 0 && !m_out->text().trimmed().isEmpty());
    m_stop->setEnabled(running && !m_session->stopping());
    m_methods->setEnabled(!running);
    m_recipe->setReadOnly(running);
    const Progress::Snapshot now = m_session->progress();
    m_progress->setVisible(running);
    m_progress->setRange(0, 1000);
    m_progress->setValue(static_cast<int>(1000.0 * now.fraction()));
    if (running) {
        QString words = m_session->stopping() ? tr("Writing a checkpoint\u2026") : now.what;
        if (!m_session->stopping() && now.secondsLeft >= 0.0) words += tr(", %1 left").arg(timeText(now.secondsLeft));
        if (!m_session->words().isEmpty()) words += QLatin1Char('\n') + m_session->words();
        m_status->setText(words);
    } else if (!m_session->words().isEmpty()) {
        m_status->setText(m_session->words());
    } else if (m_methods->count() == 0) {
        m_status->setText(tr("No method here can be trained."));
    }
    if (m_session->curves().size() != m_shown || !running) {
        m_shown = m_session->curves().size();
        m_curves->setCurves(m_session->curves(), m_session->headline());
    }
    if (!m_session->picture().isNull()) {
        m_picture->setPixmap(QPixmap::fromImage(m_session->picture())
                                 .scaled(m_picture->size(), Qt::KeepAspectRatio, Qt::SmoothTransformation));
    }
}

} // namespace blendscope
