// Training of methods, and the trust that TorchScript models need.
#include "core/Error.h"
#include "method/Trust.h"
#include "train/TrainPanel.h"
#include "train/TrainSession.h"
#include "window/MainWindow.h"
#include "window/MessageBar.h"

#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>

namespace blendscope {

TrainPanel* MainWindow::showTraining() {
    if (!m_trainPanel) m_trainPanel = new TrainPanel(m_document, m_train, this);
    m_trainPanel->show();
    m_trainPanel->raise();
    m_trainPanel->activateWindow();
    return m_trainPanel;
}

void MainWindow::runTrusted(const Pipeline& pipeline) {
    struct Script {
        QString path, digest;
        bool trusted = false;
    };
    const auto scripts = std::make_shared<std::vector<Script>>();
    const auto registry = m_document->registry();
    for (const Pipeline::Stage& stage : pipeline.stages) {
        const MethodInfo* info = registry ? registry->find(stage.method) : nullptr;
        if (info && !info->script.isEmpty()) scripts->push_back({info->script, {}, false});
    }
    if (scripts->empty()) {
        m_document->run(pipeline);
        return;
    }
    m_document->start(
        tr("Looking at the models"),
        [scripts](Progress&) {
            for (Script& script : *scripts) {
                script.digest = trust::digest(script.path);
                script.trusted = trust::isTrusted(script.digest);
            }
        },
        [this, scripts, pipeline](const Job& job) {
            if (job.state() == Job::State::Failed) m_messages->post(Document::Severity::Error, job.error());
            if (job.state() != Job::State::Finished) return;
            for (const Script& script : *scripts) {
                if (script.trusted) continue;
                QMessageBox box(QMessageBox::Warning, tr("A model is a program"),
                                tr("%1 can run code on this computer.").arg(QFileInfo(script.path).fileName()),
                                QMessageBox::NoButton, this);
                box.setInformativeText(
                    tr("Trust it only if you made it or know its maker. The answer holds for this content:\n%1")
                        .arg(script.digest));
                const QPushButton* yes = box.addButton(tr("Trust and run"), QMessageBox::AcceptRole);
                box.setDefaultButton(box.addButton(tr("Do not run"), QMessageBox::RejectRole));
                box.exec();
                if (box.clickedButton() != yes) return;
                try {
                    trust::remember(script.digest, script.path);
                } catch (const Error& e) {
                    m_messages->post(Document::Severity::Error, e.message());
                    return;
                }
            }
            m_document->run(pipeline);
        });
}

} // namespace blendscope
