//! The service: to-dos in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use openapi_lockstep_runtime::{Rejection, Secret};
use poem::{Request, http::StatusCode};
use uuid::Uuid;

use crate::server::{
    Authenticate, Failure, Reject, Token,
    todo::{
        ChangeTodo, ChangeTodoFailure, CreateTodo, CreateTodoReply, DeleteTodo, DeleteTodoFailure,
        GetTodo, GetTodoFailure, ListTodos, ListTodosParameters,
    },
    types::{Error, NewTodo, State, Todo, TodoPage, TodoPatch},
};

/// To-dos, for everybody who has the token.
pub struct Todos {
    todos: Mutex<Vec<Todo>>,
    token: Secret,
    now: fn() -> DateTime<Utc>,
    new_id: fn() -> Uuid,
}

impl Todos {
    /// No to-dos yet.
    pub fn new(token: &str, now: fn() -> DateTime<Utc>, new_id: fn() -> Uuid) -> Self {
        Self {
            todos: Mutex::new(Vec::new()),
            token: token.into(),
            now,
            new_id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Todo>> {
        // A change is one assignment: who panicked has left nothing half done.
        self.todos.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticate<Token> for Todos {
    type Principal = ();

    async fn authenticate(&self, _: &Request, token: Token) -> Result<(), Failure> {
        match token.0 == self.token {
            true => Ok(()),
            false => Err(Failure::Unauthorized(error("The token is another one."))),
        }
    }
}

impl Reject for Todos {
    fn reject(&self, rejection: &Rejection) -> Failure {
        let places = rejection.errors().iter();
        let places = places.map(|error| format!("{} {}", error.pointer, error.detail));
        let places: Vec<String> = places.collect();
        let body = Error {
            reason: rejection.detail().to_owned(),
            places: (!places.is_empty()).then_some(places),
        };
        match rejection.status() {
            StatusCode::BAD_REQUEST => Failure::BadRequest(body),
            StatusCode::UNAUTHORIZED => Failure::Unauthorized(body),
            status => Failure::Default { status, body },
        }
    }
}

impl ListTodos for Todos {
    async fn list_todos(
        &self,
        _: &Request,
        (): (),
        parameters: ListTodosParameters,
    ) -> Result<TodoPage, Failure> {
        let ListTodosParameters {
            limit,
            after,
            state,
        } = parameters;
        let todos = self.lock();
        let start = match after {
            None => 0,
            Some(after) => match todos.iter().position(|todo| todo.id == after) {
                Some(place) => place + 1,
                None => return Err(Failure::BadRequest(error("There is no such page."))),
            },
        };
        let mut rest = todos[start..]
            .iter()
            .filter(|todo| state.is_none_or(|state| todo.state == state));
        // The document allows none that is less than 1.
        let limit = usize::try_from(limit).unwrap_or(1);
        let page: Vec<Todo> = rest.by_ref().take(limit).cloned().collect();
        let is_last = rest.next().is_none();
        let next = page.last().filter(|_| !is_last).map(|todo| todo.id);
        Ok(TodoPage { todos: page, next })
    }
}

impl CreateTodo for Todos {
    async fn create_todo(
        &self,
        _: &Request,
        (): (),
        new: NewTodo,
    ) -> Result<CreateTodoReply, Failure> {
        let todo = Todo {
            id: (self.new_id)(),
            title: new.title,
            state: State::Open,
            due: Some(new.due),
            created: (self.now)(),
        };
        self.lock().push(todo.clone());
        Ok(CreateTodoReply {
            location: format!("/todos/{}", todo.id),
            body: todo,
        })
    }
}

impl GetTodo for Todos {
    async fn get_todo(&self, _: &Request, (): (), id: Uuid) -> Result<Todo, GetTodoFailure> {
        let todos = self.lock();
        let todo = todos.iter().find(|todo| todo.id == id);
        todo.cloned()
            .ok_or_else(|| GetTodoFailure::NotFound(missing()))
    }
}

impl ChangeTodo for Todos {
    async fn change_todo(
        &self,
        _: &Request,
        (): (),
        id: Uuid,
        patch: TodoPatch,
    ) -> Result<Todo, ChangeTodoFailure> {
        let mut todos = self.lock();
        let todo = todos.iter_mut().find(|todo| todo.id == id);
        let todo = todo.ok_or_else(|| ChangeTodoFailure::NotFound(missing()))?;
        let TodoPatch { title, state, due } = patch;
        todo.title = title.unwrap_or_else(|| todo.title.clone());
        todo.state = state.unwrap_or(todo.state);
        // Null is told from nothing.
        todo.due = due.or(todo.due);
        Ok(todo.clone())
    }
}

impl DeleteTodo for Todos {
    async fn delete_todo(&self, _: &Request, (): (), id: Uuid) -> Result<(), DeleteTodoFailure> {
        let mut todos = self.lock();
        let place = todos.iter().position(|todo| todo.id == id);
        todos.remove(place.ok_or_else(|| DeleteTodoFailure::NotFound(missing()))?);
        Ok(())
    }
}

fn missing() -> Error {
    error("There is no such to-do.")
}

fn error(reason: &str) -> Error {
    Error {
        reason: reason.to_owned(),
        places: None,
    }
}
