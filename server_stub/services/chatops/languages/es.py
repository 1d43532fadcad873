"""What the assistant says in Spanish: one line each."""

TEXTS = """\
one.deal: negocio
one.contact: contacto
one.lead: prospecto
one.account: cuenta
one.task: tarea
one.event: evento
one.call: llamada
one.note: nota
one.email: correo
one.activity: actividad
one.user: usuario
many.deal: negocios
many.contact: contactos
many.lead: prospectos
many.account: cuentas
many.task: tareas
many.event: eventos
many.call: llamadas
many.note: notas
many.email: correos
many.activity: actividades
many.user: usuarios
counted: {total} {noun}
listed: {total} {noun}: {names}
more: {names} y {rest} más
sum: La suma de {field} de {total} {noun} es {value} {unit}
average: El promedio de {field} de {total} {noun} es {value} {unit}
converted: {told}, convertido a {currency}, la moneda de la empresa
nothing: No se encontró nada para {what}
which: Varios registros coinciden con {what}: ¿cuál quiere decir?
no_it: Todavía no hay una respuesta a la que {what} se refiera
unknown: No lo he entendido. Los comandos más cercanos son {names}
no_word: {word} no dice nada de {noun}
no_value: Ningún registro de tipo {one} tiene {word}
no_field: {noun} no tienen el campo {word}
no_number: {word} de {noun} no es un número
no_user: No hay ningún usuario {word}
no_time: {word} no es una hora
wrong_kind: {name} no sirve para este comando
usage: Este comando se escribe {usage}
unchanged: Nada cambiaría
plan: Esto va a {what}. ¿Confirmar?
create: crear {one} {name}
update: cambiar {names}: {values}
done: Hecho: {what}
cancelled: Cancelado: no se escribió nada
help: Hay estos comandos: {names}
summary: {name}: {facts}
happened: {count} actividades, las últimas: {names}
quiet: todavía sin actividades
command.list: Listar registros
command.show: Mostrar un registro
command.count: Contar registros
command.sum: Sumar un campo de registros
command.create: Crear un registro
command.set: Cambiar campos de un registro
command.move: Mover un negocio a una etapa
command.done: Completar una tarea
command.assign: Asignar un registro a un usuario
command.log: Registrar una llamada o una nota
command.schedule: Programar una reunión con un contacto
command.summarize: Resumir un registro y lo ocurrido
command.help: Listar los comandos
"""
FILLERS = """
al con cual cuales cuanto cuantos cuantas de del el en es hay la las lista los me muestra muestrame para por que son
suma promedio valor quien todos todas un una y
"""
"""The words of a question that say nothing of which records are meant."""
