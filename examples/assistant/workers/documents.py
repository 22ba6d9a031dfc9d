#!/usr/bin/python3
"""documents: turns a web page into an OpenDocument text (LibreOffice, kept running)."""

import base64
import os
import shutil
import subprocess
import tempfile
import time

from base import BadRequest, Worker, serve, state_dir

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

PROGRAM = "/usr/lib/libreoffice/program/soffice.bin"
ONCE_MORE = 81  # after it has made a profile


def option(name, value):
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


class Documents(Worker):
    def load(self):
        self.folder = tempfile.mkdtemp(prefix="hearth-documents-")
        pipe = "hearth" + os.path.basename(self.folder).replace("-", "").replace("_", "")
        command = [
            PROGRAM, "--headless", "--invisible", "--norestore", "--nologo", "--nodefault",
            "--nolockcheck", f"--accept=pipe,name={pipe};urp;",
            f"-env:UserInstallation=file://{state_dir()}/profile"]
        office = self.start(command)
        context = uno.getComponentContext()
        resolver = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", context)
        for _ in range(3000):
            if office.poll() == ONCE_MORE:
                office = self.start(command)
            elif office.poll() is not None:
                raise RuntimeError("soffice ended")
            try:
                remote = resolver.resolve(
                    f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                time.sleep(0.01)
        self.desktop = remote.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", remote)
        self.convert("<p>a warm start</p>")

    def start(self, command):
        return self.child(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def convert(self, html):
        source = os.path.join(self.folder, "in.html")
        target = os.path.join(self.folder, "out.odt")
        with open(source, "w", encoding="utf-8") as file:
            file.write("<!doctype html><meta charset=utf-8>" + html)
        document = self.desktop.loadComponentFromURL(
            "file://" + source, "_blank", 0,
            (option("Hidden", True), option("FilterName", "HTML (StarWriter)")))
        if document is None:
            raise BadRequest("LibreOffice cannot read this")
        document.storeToURL("file://" + target, (option("FilterName", "writer8"),))
        document.close(True)
        with open(target, "rb") as file:
            return file.read()

    def run(self, request):
        return {"odt": base64.b64encode(self.convert(request["html"])).decode()}

    def close(self):
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


serve(Documents())
